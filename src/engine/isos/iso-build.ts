import { join } from 'node:path';
import type { Io } from '../../cli/engine.ts';
import type { IsoBuild, IsoBuildRequest } from '../../cli/requests/isos.ts';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { bootPathsOf, filesOfIso, type IsoEntry } from '../../core/isos.ts';
import { digest, type Json } from '../../core/keys.ts';
import type { Delivery, Unattended } from '../../core/media.ts';
import type { Published } from '../../core/published.ts';
import type { ImageSpec } from '../../core/spec.ts';
import { onIso } from '../../iso/deliveries.ts';
import type { IsoFacts } from '../../iso/facts.ts';
import { inspectIso } from '../../run/isos/remaster.ts';
import { openSigner } from '../../run/signing.ts';
import { recordChecks } from '../../run/trace.ts';
import { type Workshop, withStep } from '../../run/workshop.ts';
import { type FinishedBuild, findByKey, selectBuild } from '../../store/artifacts.ts';
import { rememberedDigest } from '../../store/file-digests.ts';
import { onShelf } from '../../store/paths.ts';
import { nameOfPublished } from '../../upstream/published.ts';
import { inScratch } from '../guests.ts';
import { type Cargo, cargoOf } from './iso-carry.ts';
import { bringIsoFile, pinOf } from './iso-files.ts';
import { type Making, proveWritten, type Written, writeIso } from './iso-write.ts';
import { buildMedia, type Made, mediumOf, textsOf } from './media-build.ts';

/** Raised when the same answers and the same ISO would give other bytes. */
const version = 2;

/** Make the ISO of an image install by itself; one result for each architecture. */
export function buildIsos(workshop: Workshop, request: IsoBuildRequest, io: Io): Promise<readonly IsoBuild[]> {
  return buildMedia(workshop, { ...request, shelf: 'isos' }, io, (one, ctx) => make({ ...one, request }, ctx));
}

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
    ...{ image: spec.name, delivery, powerOff: request.powerOff, carries: true },
    ...(request.console === undefined ? {} : { console: request.console }),
  };
  const projectFile = (path: string) => join(workshop.root, path);
  const unattended = await medium.unattended(options, asked, { ...ctx, projectFile });
  const sha256 = pin === null ? await digestOf(iso, making, ctx) : undefined;
  const bytes = pin ?? sha256 ?? null;
  const cargo = await cargoOf({ workshop, spec, medium, options, facts, refresh: request.refresh }, ctx);
  const key = keyOf(unattended, { entry, delivery, bytes, timeout: request.timeoutSeconds, cargo });
  const known = await findByKey(paths, spec.name, spec.arch, key);
  const ready = known === undefined ? undefined : await proven(making, known, { facts, entry, delivery, cargo }, ctx);
  if (ready !== undefined && (await selectBuild(paths, ready.finished, ctx.signal))) return ready;
  warnOfSteps(spec, ctx);
  const load = (folder: string, inner: Context) => {
    const wanted = { arch: spec.arch, files: facts.files, pin: cargo?.pin ?? null, folder };
    return (
      medium.repository?.(options, wanted, { ...inner, projectFile }) ??
      Promise.resolve({ files: new Map<string, string>(), packages: [] })
    );
  };
  const finished = await writeIso(
    making,
    { iso, name, facts, entry, delivery, unattended, key, pin, sha256, cargo, load },
    ctx,
  );
  return { finished, cached: false };
}

/** A finished ISO, proven if that is asked for and was not done. */
async function proven(making: Making, known: FinishedBuild, parts: Written['parts'], ctx: Context): Promise<Made> {
  const { workshop, request, build } = making;
  const { artifacts, checks } = known.manifest;
  if (!request.checks || checks.length > 0 || parts.delivery.by === 'url') return { finished: known, cached: true };
  const signer = await openSigner(workshop);
  return inScratch(workshop, build, ctx.signal, async (scratch) => {
    const found = await proveWritten(making, { parts, artifacts, folder: known.folder, scratch }, ctx);
    return { finished: await recordChecks(workshop, known, found, signer), cached: false };
  });
}

/** Of an ISO that nothing is written down of; remembered, as it is large. */
function digestOf(iso: string, { workshop }: Making, { host, signal }: Context): Promise<string> {
  const compute = (path: string) => host.files.sha256(path, signal);
  return rememberedDigest(workshop.paths, iso, { nowMs: host.now(), compute });
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
  readonly cargo: Cargo | undefined;
};

function keyOf(
  { words, ownWords, files, onIso: more, label }: Unattended,
  { entry, delivery, bytes, timeout, cargo }: KeyParts,
): string {
  const said = { words, ownWords, files: textsOf(files), onIso: textsOf(more), label };
  return digest({
    version,
    boot: bootPathsOf(entry),
    delivery: { ...delivery },
    bytes,
    timeout,
    ...(cargo === undefined ? {} : { cargo: cargo.key }),
    ...said,
  });
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
