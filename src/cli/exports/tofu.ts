import { IngotError } from '../../core/errors.ts';
import { nearest } from '../../spec/nearest.ts';
import type { RegistryDeployment, RegistryImage, RegistryView } from '../requests/registry.ts';
import { archName } from '../values.ts';
import { type At, deploymentEntry, imageEntries, imageEntry } from './entries.ts';

/** The one variable that the images are. */
export function tofuVariables(view: RegistryView, at: At): unknown {
  return { images: imageEntries(view, at) };
}

const words = ['image', 'arch', 'format', 'target', 'url'] as const;
type Query = Partial<Record<(typeof words)[number], string>>;

/** The query of OpenTofu's `external` data source: a JSON object of texts. */
export function parseQuery(text: string): Query {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    throw usage('the query on stdin is no JSON', 'like {"image":"debian-13","arch":"x86_64"}');
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) throw usage('the query is no JSON object');
  for (const [key, value] of Object.entries(said)) {
    if (!words.some((word) => word === key)) {
      const near = nearest(key, words);
      throw usage(
        `the query has an unknown word ${JSON.stringify(key)}`,
        near === undefined ? `it takes ${words.join(', ')}` : `did you mean ${near}?`,
      );
    }
    if (typeof value !== 'string') throw usage(`${key} of the query is no text`);
  }
  return said;
}

/** The answer to a query: a flat map of texts, which is all that the data source takes. */
export function answerQuery(view: RegistryView, query: Query, around: At & { readonly native: string | undefined }) {
  const image = chooseImage(view, query, around.native);
  const at = { url: query.url ?? around.url };
  const { formats, ...entry } = imageEntry(image, at);
  const format = query.format ?? Object.keys(formats)[0] ?? '';
  const file = formats[format];
  if (file === undefined) {
    const has = Object.keys(formats).join(', ');
    throw absent(`${image.name} for ${image.arch} has no file of the format ${format}`, `it has: ${has}`);
  }
  const { path, url, digest, bytes } = file;
  return {
    ...entry,
    ...{ name: image.name, arch: image.arch, format, path, url, digest },
    ...{ sha256: digest.replace('sha256:', ''), bytes: String(bytes) },
    formats: Object.keys(formats).join(','),
    ...(query.target === undefined ? {} : deploymentWords(view, image, query.target)),
  };
}

function chooseImage({ images }: RegistryView, query: Query, native: string | undefined): RegistryImage {
  if (query.image === undefined) throw usage('the query names no `image`', 'like {"image":"debian-13"}');
  const mine = images.filter(({ name }) => name === query.image);
  const wanted = query.arch === undefined ? undefined : archOf(query.arch);
  const found =
    wanted === undefined
      ? (mine.find(({ arch }) => arch === native) ?? mine[0])
      : mine.find(({ arch }) => arch === wanted);
  if (found !== undefined) return found;
  if (mine.length > 0) {
    throw absent(`${query.image} is not built for ${wanted}`, `it is for ${mine.map(({ arch }) => arch).join(', ')}`);
  }
  const near = nearest(query.image, [...new Set(images.map(({ name }) => name))]);
  throw absent(
    `${query.image} is not built here`,
    near === undefined ? `ingot build ${query.image}` : `did you mean ${near}?`,
  );
}

function archOf(text: string): string {
  try {
    return archName(text);
  } catch {
    throw usage(`${JSON.stringify(text)} is no architecture`, 'x86_64 or aarch64');
  }
}

function deploymentWords({ deployments }: RegistryView, { name, arch }: RegistryImage, target: string) {
  const mine = deployments.filter((one) => one.name === name && (one.arch === undefined || one.arch === arch));
  const found: RegistryDeployment | undefined = mine.find((one) => one.target === target);
  if (found === undefined) {
    const has = mine.map((one) => one.target).join(', ');
    throw absent(
      `${name} for ${arch} is not deployed on ${target}`,
      has === '' ? `ingot registry record ${name} --target ${target} ...` : `it is on ${has}`,
    );
  }
  const { type, id, deployed_at, state, address } = deploymentEntry(found);
  return {
    ...{ deployment_type: type, deployment_id: id, deployment_at: deployed_at },
    ...{ deployment_stale: String(state === 'stale'), deployment_address: address ?? '' },
  };
}

function usage(message: string, hint?: string): IngotError {
  return new IngotError({ code: 'USAGE', message, ...(hint === undefined ? {} : { hint }) });
}

function absent(message: string, hint: string): IngotError {
  return new IngotError({ code: 'NOT_FOUND', message, hint });
}
