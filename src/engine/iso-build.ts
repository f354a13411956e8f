import { join } from 'node:path';
import type { Io } from '../cli/engine.ts';
import type { IsoBuild, IsoBuildRequest } from '../cli/requests/isos.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { EventBody } from '../core/events.ts';
import { bootPathsOf, filesOfIso, type IsoEntry } from '../core/isos.ts';
import { digest, type Json } from '../core/keys.ts';
import type { Delivery, Medium, Unattended } from '../core/media.ts';
import type { Published } from '../core/published.ts';
import { fillSecrets } from '../core/secrets.ts';
import type { ImageSpec } from '../core/spec.ts';
import { onIso } from '../iso/deliveries.ts';
import type { IsoFacts } from '../iso/facts.ts';
import { errorRecord } from '../run/error-record.ts';
import { inspectIso } from '../run/remaster.ts';
import { redactor, secretsOf, type Workshop, withStep } from '../run/workshop.ts';
import { type FinishedBuild, findByKey, selectBuild } from '../store/artifacts.ts';
import { rememberedDigest } from '../store/file-digests.ts';
import { reap } from '../store/ledger.ts';
import { imageFolder, onShelf } from '../store/paths.ts';
import { settleTree } from '../store/retire.ts';
import { nameOfPublished } from '../upstream/published.ts';
import { bringIsoFile, pinOf } from './iso-files.ts';
import { type Making, writeIso } from './iso-write.ts';
import { buildId, openJournal } from './journal.ts';
import { selectImages } from './site.ts';

/** Raised when the same answers and the same ISO would give other bytes. */
const version = 1;

/** Make the ISO of an image install by itself; one result for each architecture. */
export async function buildIsos(workshop: Workshop, request: IsoBuildRequest, io: Io): Promise<readonly IsoBuild[]> {
  const { image, arch, site } = request;
  await reap(workshop.paths);
  await settleTree(workshop.paths, io.signal);
  const selection = { images: [image], arch, ...(site === undefined ? {} : { site }) };
  const specs = (await selectImages(workshop, selection)).filter(({ name }) => name === image);
  const results: IsoBuild[] = [];
  for (const spec of specs) results.push(await buildIso(workshop, spec, request, io));
  return results;
}

async function buildIso(workshop: Workshop, spec: ImageSpec, request: IsoBuildRequest, io: Io): Promise<IsoBuild> {
  const { host } = workshop;
  const { name: image, arch } = spec;
  const build = buildId(host);
  const journal = openJournal(workshop, build, io);
  const started = host.monotonic();
  let redact = <T>(data: T): T => data;
  const end = (rest: Pick<IsoBuild, 'outcome' | 'paths' | 'error'>): IsoBuild => {
    const seconds = (host.monotonic() - started) / 1000;
    const [path] = rest.paths;
    const told = {
      ...(rest.error === undefined ? {} : { error: rest.error }),
      ...(path === undefined ? {} : { path }),
    };
    journal.emit({ type: 'build.end', image, arch, outcome: rest.outcome, seconds, ...told });
    return { image, arch, seconds, ...rest };
  };
  journal.emit({ type: 'build.start', image, arch, key: '' });
  try {
    redact = redactor(secretsOf(workshop, spec));
    const emit = (event: EventBody) => journal.emit(redact(event));
    const ctx: Context = { signal: io.signal, emit, host, step: 'prepare' };
    const { finished, cached } = await make({ workshop, spec, request, build, started }, ctx);
    const folder = imageFolder(onShelf(workshop.paths, 'isos'), image, arch);
    const paths = finished.manifest.artifacts.map(({ file }) => join(folder, file));
    if (request.output !== undefined) await copyOut(paths, request.output, ctx);
    return end({ outcome: cached ? 'cached' : 'done', paths });
  } catch (thrown) {
    if (io.signal.aborted) return end({ outcome: 'cancelled', paths: [] });
    return end({ outcome: 'failed', paths: [], error: redact(errorRecord(thrown)) });
  } finally {
    journal.close();
  }
}

async function copyOut(paths: readonly string[], folder: string, { host, signal }: Context): Promise<void> {
  await host.files.makeDirectory(folder);
  const all = [...paths, ...paths.map((path) => `${path}.sha256`)];
  await host.run({ argv: ['cp', '--reflink=auto', '--', ...all, folder] }, { signal });
}

type Made = { readonly finished: FinishedBuild; readonly cached: boolean };

async function make(making: Making, ctx: Context): Promise<Made> {
  const { workshop, spec, request } = making;
  const paths = onShelf(workshop.paths, 'isos');
  const { medium, options } = mediumOf(workshop, spec);
  const entry = medium.iso(options);
  const published = isoOf(entry, spec);
  const pin = await pinOf(workshop, published, request.refresh, ctx);
  const fetch = { id: 'fetch', title: `fetch ${nameOfPublished(published)}` };
  const bring = (inner: Context) => bringIsoFile(workshop, published, { refresh: false }, inner);
  const { value: iso } = await withStep(fetch, ctx, bring);
  const name = nameOfPublished(published);
  const facts = await inspectIso(iso, name, ctx);
  const delivery = deliveryOf(entry, request, facts, medium.deliveries(options));
  const asked = {
    ...{ image: spec.name, delivery, powerOff: request.powerOff },
    ...(request.console === undefined ? {} : { console: request.console }),
  };
  const projectFile = (path: string) => join(workshop.root, path);
  const unattended = await medium.unattended(options, asked, { ...ctx, projectFile });
  const bytes = pin ?? (await digestOf(iso, making, ctx));
  const key = keyOf(unattended, { entry, delivery, bytes, timeout: request.timeoutSeconds });
  const known = await findByKey(paths, spec.name, spec.arch, key);
  if (known !== undefined && (await selectBuild(paths, known, ctx.signal))) return { finished: known, cached: true };
  warnOfSteps(spec, ctx);
  const finished = await writeIso(making, { iso, name, facts, entry, delivery, unattended, key, pin }, ctx);
  return { finished, cached: false };
}

/** Of an ISO that nothing is written down of; remembered, as it is large. */
function digestOf(iso: string, { workshop }: Making, { host, signal }: Context): Promise<string> {
  const compute = (path: string) => host.files.sha256(path, signal);
  return rememberedDigest(workshop.paths, iso, { nowMs: host.now(), compute });
}

function mediumOf(
  workshop: Workshop,
  spec: ImageSpec,
): { readonly medium: Medium<unknown>; readonly options: unknown } {
  const kind = workshop.kinds.sources.get(spec.source.kind);
  if (kind?.medium === undefined) {
    const able = [...workshop.kinds.sources.values()].filter((one) => one.medium !== undefined).map((one) => one.name);
    throw new IngotError({
      code: 'USAGE',
      message: `the image ${spec.name} is not installed from an ISO: its source is ${spec.source.kind}`,
      place: spec.source.place,
      hint: `an ISO that installs by itself is made of images with the source ${able.join(' or ')}`,
    });
  }
  return { medium: kind.medium, options: fillSecrets(spec.source.options, kind.secretsIn, workshop.secret) };
}

function isoOf(entry: IsoEntry, spec: ImageSpec): Published {
  const files = filesOfIso(entry);
  if ('iso' in files) return files.iso;
  throw new IngotError({
    code: 'USAGE',
    message: `${entry.name} of isos.yaml is a kernel and its initrd, not an ISO`,
    place: spec.source.place,
    hint: "name the vendor's ISO there with `url` or `file`",
  });
}

function deliveryOf(
  { distribution }: IsoEntry,
  { answers }: IsoBuildRequest,
  { volumeId }: IsoFacts,
  known: readonly Delivery['by'][],
): Delivery {
  const wanted: Delivery =
    answers === 'iso'
      ? onIso(distribution, volumeId)
      : answers === 'disk'
        ? { by: 'seed' }
        : { by: 'url', url: answers };
  if (known.includes(wanted.by)) return wanted;
  const words = { seed: 'a disk', url: 'an address', medium: 'its ISO', initrd: 'its initrd' };
  throw new IngotError({
    code: 'USAGE',
    message: `the installer of ${distribution} does not take answers from ${words[wanted.by]}`,
    hint: 'leave --answers out: they are put into the ISO',
  });
}

type KeyParts = {
  readonly entry: IsoEntry;
  readonly delivery: Delivery;
  readonly bytes: Json;
  readonly timeout: number;
};

function keyOf(
  { words, ownWords, files, onIso: more, label }: Unattended,
  { entry, delivery, bytes, timeout }: KeyParts,
): string {
  const texts = (map: ReadonlyMap<string, string | Uint8Array> = new Map()) =>
    Object.fromEntries([...map].map(([path, data]) => [path, Buffer.from(data).toString('base64')]));
  const said = { words, ownWords, files: texts(files), onIso: texts(more), label };
  return digest({ version, boot: bootPathsOf(entry), delivery: { ...delivery }, bytes, timeout, ...said });
}

/** Steps run in a machine; the machine that such an ISO installs has only what its answers say. */
function warnOfSteps({ name, steps }: ImageSpec, { emit }: Context): void {
  if (steps.length === 0) return;
  emit({
    type: 'warning',
    message: `the ISO installs ${name} without its ${steps.length === 1 ? 'step' : `${steps.length} steps`}`,
    hint: 'what an installation itself is to do belongs into its `answers` and `post-install`',
  });
}
