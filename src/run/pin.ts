import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Json } from '../core/keys.ts';
import type { Lock } from '../core/plan.ts';
import type { ImageSpec } from '../core/spec.ts';
import { imageId, parentNames } from '../plan/family.ts';
import { filesToDigest, sourceId } from '../plan/inputs.ts';
import { rememberedDigest } from '../store/file-digests.ts';
import { readPin, writePin } from '../store/records.ts';
import { keyOf } from './plan.ts';
import { pinContext } from './source-context.ts';
import type { Workshop } from './workshop.ts';

/** `none`: what is not known stays unknown; `unknown`: a source that was never pinned is asked now; `all`: each is. */
export type Ask = 'none' | 'unknown' | 'all';

/** Keys of images by `imageId`. */
export type ImageKeys = ReadonlyMap<string, string | undefined>;

/**
 * Find out what images are made from: digests of the project's files, the state of each source, and the keys of other
 * images. An image stands behind those it is made from, unless their keys are told in `keys`.
 */
export async function pinImages(
  workshop: Workshop,
  specs: readonly ImageSpec[],
  request: { readonly ask: Ask; readonly keys?: ImageKeys },
  ctx: Context,
): Promise<Lock> {
  const files: Record<string, string> = {};
  for (const path of new Set(specs.flatMap((spec) => filesToDigest(spec, workshop.kinds)))) {
    files[path] = await digestNamed(workshop, path);
  }
  const sources: Record<string, Json> = {};
  const lock = { files, sources };
  const keys = new Map(request.keys);
  const wanted = new Set(specs.flatMap((spec) => parentNames(spec, workshop.kinds)));
  for (const spec of specs) {
    const id = sourceId(spec.source, spec.arch);
    const pin = parentKeys(spec, keys, workshop) ?? sources[id] ?? (await pinSource(workshop, spec, request.ask, ctx));
    if (pin !== undefined) sources[id] = pin;
    const own = imageId(spec.name, spec.arch);
    if (wanted.has(spec.name) && !keys.has(own)) keys.set(own, keyOf(workshop, spec, lock));
  }
  return lock;
}

/** The pin of an image that is made from others. */
function parentKeys(spec: ImageSpec, keys: ImageKeys, { kinds }: Workshop): Json | undefined {
  const names = parentNames(spec, kinds);
  const known = names.flatMap((name) => {
    const key = keys.get(imageId(name, spec.arch));
    return key === undefined ? [] : [[name, key] as const];
  });
  return names.length > 0 && known.length === names.length ? Object.fromEntries(known) : undefined;
}

async function pinSource(workshop: Workshop, spec: ImageSpec, ask: Ask, ctx: Context): Promise<Json | undefined> {
  const kind = workshop.kinds.sources.get(spec.source.kind);
  if (parentNames(spec, workshop.kinds).length > 0) return undefined;
  if (kind?.pin === undefined || kind.asks?.(spec.source.options) === false) return null;
  const id = sourceId(spec.source, spec.arch);
  const known = ask === 'all' ? undefined : await readPin(workshop.paths, id);
  if (known !== undefined || ask === 'none') return known;
  const pin = await kind.pin(spec.source.options, spec.arch, pinContext(workshop, ctx));
  await writePin(workshop.paths, id, pin);
  return pin;
}

/** The digest of what a path of the project stands for: steps follow a link that they are given by name. */
async function digestNamed(workshop: Workshop, path: string): Promise<string> {
  const absolute = join(workshop.root, path);
  const target = await workshop.host.files.realPath(absolute).catch(() => undefined);
  if (target === undefined)
    throw new IngotError({ code: 'SPEC_INVALID', message: `the file ${path} is not in the project` });
  return digestPath(workshop, target);
}

/** SHA-256 of a file with its executable bit, or of a folder's sorted listing of the same. */
async function digestPath(workshop: Workshop, absolute: string): Promise<string> {
  const { files } = workshop.host;
  const stat = await files.stat(absolute);
  if (stat === undefined || stat.kind === 'other') {
    const why = stat === undefined ? 'is gone' : 'is neither a file nor a folder nor a link';
    throw new IngotError({ code: 'SPEC_INVALID', message: `${absolute} ${why}` });
  }
  const hash = createHash('sha256');
  if (stat.kind === 'directory') {
    for (const name of [...(await files.list(absolute))].sort())
      hash.update(`${name}\0${await digestPath(workshop, join(absolute, name))}\0`);
  } else if (stat.kind === 'link') {
    hash.update(`link ${await files.readLink(absolute)}`);
  } else {
    const how = { nowMs: workshop.host.now(), compute: (path: string) => files.sha256(path) };
    const sha256 = await rememberedDigest(workshop.paths, absolute, how);
    hash.update(`file ${(stat.mode & 0o100) === 0 ? 'data' : 'program'} ${sha256}`);
  }
  return hash.digest('hex');
}
