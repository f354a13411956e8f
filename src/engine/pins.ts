import { dirname, join } from 'node:path';
import type { PinReport, PinsRequest, PinsResult } from '../cli/requests/upkeep.ts';
import type { Context } from '../core/context.ts';
import { digestParts } from '../core/digests.ts';
import { IngotError, SpecError } from '../core/errors.ts';
import type { Json } from '../core/keys.ts';
import type { PinContext } from '../core/kinds.ts';
import type { Published } from '../core/published.ts';
import type { ImageSpec } from '../core/spec.ts';
import { flatten, sourceId } from '../plan/inputs.ts';
import { errorRecord } from '../run/error-record.ts';
import { pinContext } from '../run/source-context.ts';
import type { Workshop } from '../run/workshop.ts';
import { readDocument } from '../spec/document.ts';
import { suggestion } from '../spec/nearest.ts';
import { type WrittenPin, writtenPins } from '../spec/pins.ts';
import { Problems } from '../spec/problems.ts';
import { type NewValue, setValues } from '../spec/set-values.ts';
import { writeDurable } from '../store/durable.ts';
import { readPin, writePin } from '../store/records.ts';
import { lookUpDigest, sidecarOf } from '../upstream/look-up.ts';
import { listOfPublished, pinPublished } from '../upstream/published.ts';
import { changes } from './changes.ts';
import { isoFiles, isoPinId, loadIsos } from './isos/iso-files.ts';
import { selectImages } from './site.ts';

/** Look up pins of `versions.yaml` and what the sources of images were pinned to; with `update` write down what moved. */
export async function followPins(workshop: Workshop, request: PinsRequest, signal: AbortSignal): Promise<PinsResult> {
  const { host } = workshop;
  const ctx = lookingOnce(pinContext(workshop, { host, signal, emit: () => undefined, step: 'pins' }));
  const path = join(workshop.root, 'versions.yaml');
  const text = await host.files.readText(path);
  const written = text === undefined ? [] : readVersions(path, text);
  const chosen = written.filter(({ name }) => isAsked(request, name));
  const looked = await Promise.all(chosen.map((pin) => lookUpPin(pin, ctx)));
  const values = looked.flatMap(({ value }) => value ?? []);
  const isWritten = request.update && text !== undefined && values.length > 0;
  if (isWritten) await rewrite({ path, text }, values, ctx);
  // What is written in versions.yaml may be what makes the images readable at all: they come after.
  const isos = await lookUpIsos(workshop, request, ctx).catch(unless(isWritten, 'isos'));
  const known = [...written, ...isos].map(({ name }) => name);
  const rest = request.names.filter((name) => !known.includes(name));
  const onlyPins = request.names.length > 0 && rest.length === 0;
  const sources = onlyPins ? [] : await lookUpSources(workshop, request, ctx).catch(unless(isWritten, 'images'));
  refuseUnknown(rest, [...written, ...isos], sources);
  return {
    pins: [...looked.map(({ report }) => report), ...isos, ...sources],
    ...(isWritten ? { written: path } : {}),
  };
}

function isAsked({ names }: PinsRequest, name: string): boolean {
  return names.length === 0 || names.includes(name);
}

/** Both architectures often have one list: it is read once. */
function lookingOnce(ctx: PinContext): PinContext {
  const pages = new Map<string, Promise<Buffer>>();
  return {
    ...ctx,
    read(url) {
      const page = pages.get(url) ?? ctx.read(url);
      pages.set(url, page);
      return page;
    },
  };
}

function readVersions(path: string, text: string): readonly WrittenPin[] {
  const problems = new Problems();
  const pins = writtenPins(readDocument('versions.yaml', path, text), problems);
  if (problems.size > 0) throw new SpecError(problems.sorted());
  return pins;
}

type LookedUp = { readonly report: PinReport; readonly value?: NewValue };

async function lookUpPin({ name, arch, followed }: WrittenPin, ctx: PinContext): Promise<LookedUp> {
  const common = { name, what: 'pin', ...(arch === undefined ? {} : { arch }), changes: [] } as const;
  if (followed === undefined) return { report: { ...common, state: 'fixed' } };
  try {
    const { url, sums, signature, keyring, field, hex, path } = followed;
    const list = sums === 'sidecar' ? sidecarOf(url) : { file: sums, signature, keyring };
    const now = digestParts(await lookUpDigest(url, list, ctx));
    if (now.algorithm !== field) throw otherAlgorithm(name, field, now.algorithm);
    if (now.hex === hex) return { report: { ...common, state: 'current' } };
    const change = { name: field, ...(hex === '' ? {} : { from: hex }), to: now.hex };
    const state = hex === '' ? 'new' : 'moved';
    return { report: { ...common, state, changes: [change] }, value: { path, value: now.hex } };
  } catch (error) {
    return { report: { ...common, state: 'failed', error: failure(error, ctx) } };
  }
}

function otherAlgorithm(name: string, field: string, found: string): IngotError {
  return new IngotError({
    code: 'SPEC_INVALID',
    message: `the pin ${name} has ${field}, and its list has ${found}`,
    hint: `write \`${found}: ""\` in the place of ${field} in versions.yaml`,
  });
}

/** An error that concerns one pin only; a stop concerns all. */
function failure(error: unknown, { signal }: Context) {
  signal.throwIfAborted();
  return errorRecord(error);
}

async function rewrite(
  { path, text }: { readonly path: string; readonly text: string },
  values: readonly NewValue[],
  { host }: Context,
): Promise<void> {
  const changed = setValues(text, values);
  if (changed === undefined) {
    throw new IngotError({
      code: 'SPEC_INVALID',
      message: 'the pins of versions.yaml are written in a way that cannot be changed in place',
      hint: 'write digests as plain values, without anchors and aliases',
    });
  }
  const file = await host.files.realPath(path);
  if ((await host.files.readText(file)) !== text) {
    const hint = 'run the same command again';
    throw new IngotError({ code: 'BUSY', message: 'versions.yaml was changed in the meantime', hint });
  }
  const mode = (await host.files.stat(file))?.mode ?? 0o644;
  await writeDurable({ path: file, staging: dirname(file) }, changed, mode);
}

async function lookUpSources(workshop: Workshop, request: PinsRequest, ctx: PinContext): Promise<readonly PinReport[]> {
  const { site } = request;
  const all = await selectImages(workshop, { images: [], arch: 'all', ...(site === undefined ? {} : { site }) });
  const asked = new Map<string, Promise<Found>>();
  const reports = all
    .filter(({ name }) => isAsked(request, name))
    .map(async (spec): Promise<PinReport> => {
      const id = sourceId(spec.source, spec.arch);
      // Images that start from the same thing are looked up together.
      const found = asked.get(id) ?? lookUpSource(workshop, spec, request, ctx);
      asked.set(id, found);
      return { name: spec.name, what: 'source', arch: spec.arch, ...(await found) };
    });
  return Promise.all(reports);
}

/** Where versions.yaml is written already, that is told though the images cannot be read. */
function unless(isWritten: boolean, name: 'images' | 'isos'): (error: unknown) => readonly PinReport[] {
  return (error) => {
    if (!isWritten || !(error instanceof SpecError)) throw error;
    const told = { ...errorRecord(error), hint: '`ingot plan` shows them' };
    return [{ name, what: name === 'isos' ? 'iso' : 'source', state: 'failed', changes: [], error: told }];
  };
}

type Found = Pick<PinReport, 'state' | 'changes' | 'error'>;

async function lookUpSource(
  { kinds, paths }: Workshop,
  { source, arch }: ImageSpec,
  { update }: PinsRequest,
  ctx: PinContext,
): Promise<Found> {
  const kind = kinds.sources.get(source.kind);
  const asking = kind?.asks?.(source.options) === false ? undefined : kind?.pin?.bind(kind);
  if (asking === undefined) return { state: 'fixed', changes: [] };
  const ask = () => asking(source.options, arch, ctx);
  return followKept(paths, sourceId(source, arch), { update, ask }, ctx);
}

/** What the lists of ISOs say; files of one list are looked up together. */
async function lookUpIsos(workshop: Workshop, request: PinsRequest, ctx: PinContext): Promise<readonly PinReport[]> {
  const variants = [...(await loadIsos(workshop)).values()].flatMap((one) => [...one.values()]);
  const reports = variants.flatMap(({ entry }) => {
    const { name, arch } = entry;
    if (!isAsked(request, name)) return [];
    return isoFiles(entry).map(async ({ label, published }): Promise<PinReport> => {
      const found = await lookUpIso(workshop, published, request, ctx);
      const named = found.changes.map((change) =>
        label === 'iso' ? change : { ...change, name: `${label} ${change.name}` },
      );
      return { name, what: 'iso', arch, ...found, changes: named };
    });
  });
  return Promise.all(reports);
}

async function lookUpIso(
  { paths }: Workshop,
  published: Published,
  request: PinsRequest,
  ctx: PinContext,
): Promise<Found> {
  if (listOfPublished(published) === undefined) return { state: 'fixed', changes: [] };
  return followKept(paths, isoPinId(published), { ...request, ask: () => pinPublished(published, ctx) }, ctx);
}

type Kept = { readonly update: boolean; readonly ask: () => Promise<Json> };

/** Compare what is kept with what is said now; with `update` keep that. */
async function followKept(paths: Workshop['paths'], id: string, { update, ask }: Kept, ctx: Context): Promise<Found> {
  try {
    const known = await readPin(paths, id);
    const now = await ask();
    const found = changes(words(known), words(now));
    if (known !== undefined && found.length === 0) return { state: 'current', changes: [] };
    if (update) await writePin(paths, id, now);
    return { state: known === undefined ? 'new' : 'moved', changes: found };
  } catch (error) {
    return { state: 'failed', changes: [], error: failure(error, ctx) };
  }
}

function words(pin: Json | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(flatten('', '', pin)));
}

function refuseUnknown(
  names: readonly string[],
  pins: readonly { readonly name: string }[],
  sources: readonly PinReport[],
): void {
  const known = [...new Set([...pins, ...sources].map(({ name }) => name))];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const hint = suggestion(unknown, known, 'there are');
  throw new IngotError({
    code: 'USAGE',
    message: `there is no pin, no ISO and no image ${JSON.stringify(unknown)}`,
    ...(hint === undefined ? {} : { hint }),
  });
}
