import { join } from 'node:path';
import type { Io } from '../../cli/engine.ts';
import type { IsoBuild, MediaRequest } from '../../cli/requests/isos.ts';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { EventBody } from '../../core/events.ts';
import type { Json } from '../../core/keys.ts';
import type { Manifest } from '../../core/manifest.ts';
import type { Medium } from '../../core/media.ts';
import { fillSecrets } from '../../core/secrets.ts';
import { withRoom } from '../../core/space.ts';
import type { ImageSpec } from '../../core/spec.ts';
import { errorRecord } from '../../run/error-record.ts';
import { remasterTools } from '../../run/isos/remaster.ts';
import { gitState, versionOf } from '../../run/machine-facts.ts';
import { openSigner } from '../../run/signing.ts';
import { originOf, traceFiles } from '../../run/trace.ts';
import { redactor, secretsOf, type Workshop } from '../../run/workshop.ts';
import { type FinishedBuild, manifestFile, manifestText, publishBuild } from '../../store/artifacts.ts';
import { reap } from '../../store/ledger.ts';
import { imageFolder, onShelf, type Shelf } from '../../store/paths.ts';
import { settleTree } from '../../store/retire.ts';
import { buildId, openJournal } from '../journal.ts';
import { selectImages } from '../site.ts';

/** Which image something is made of that its installer starts from. */
export type MediaMaking = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  readonly build: string;
  /** On the clock that never goes back. */
  readonly started: number;
};

export type Made = { readonly finished: FinishedBuild; readonly cached: boolean };

type Make = (making: MediaMaking, ctx: Context) => Promise<Made>;
type Request = MediaRequest & { readonly shelf: Shelf };

/** Make it for each architecture of an image; each end is told in its result. */
export async function buildMedia(
  workshop: Workshop,
  request: Request,
  io: Io,
  make: Make,
): Promise<readonly IsoBuild[]> {
  const { image, arch, site } = request;
  const selection = { images: [image], arch, ...(site === undefined ? {} : { site }) };
  const specs = (await selectImages(workshop, selection)).filter(({ name }) => name === image);
  await reap(workshop.paths);
  await settleTree(workshop.paths, io.signal, true);
  const results: IsoBuild[] = [];
  for (const spec of specs) results.push(await buildOne({ workshop, spec }, request, io, make));
  return results;
}

async function buildOne(
  { workshop, spec }: Pick<MediaMaking, 'workshop' | 'spec'>,
  { shelf, output }: Request,
  io: Io,
  make: Make,
): Promise<IsoBuild> {
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
    const { finished, cached } = await make({ workshop, spec, build, started }, ctx);
    const folder = imageFolder(onShelf(workshop.paths, shelf), image, arch);
    const paths = finished.manifest.artifacts.map(({ file }) => join(folder, file));
    if (output !== undefined) await copyOut(paths, output, ctx);
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

/** What the source of an image says of its installer's medium, and its options with secrets filled in. */
export function mediumOf(
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

/** Files as a key can hold them. */
export function textsOf(files: ReadonlyMap<string, string | Uint8Array> = new Map()): Readonly<Record<string, string>> {
  return Object.fromEntries([...files].map(([path, data]) => [path, Buffer.from(data).toString('base64')]));
}

type Publishing = {
  readonly shelf: Shelf;
  /** Where all files lie, with their digests beside them. */
  readonly staged: string;
  readonly known: Pick<Manifest, 'key' | 'artifacts' | 'checks'> &
    Partial<Pick<Manifest, 'base' | 'materials' | 'packages'>>;
  /** What the files of its installer were pinned to. */
  readonly pin: Readonly<Record<string, Json>>;
  readonly machine: Machine;
};

/** What they are made with, and at which commit. */
export type Machine = Required<Pick<Manifest, 'tools'>> & Pick<Manifest, 'git'>;

/** Asked of programs, which takes a while. */
export async function machineOf({ root }: Workshop, { host, signal }: Context): Promise<Machine> {
  const versions = remasterTools.map(
    async ({ program }): Promise<[string, string]> => [program, (await versionOf(program, host, signal)) ?? 'unknown'],
  );
  const [git, ...tools] = await Promise.all([gitState(host, root, signal), ...versions]);
  return {
    tools: Object.fromEntries([['node', process.versions.node], ...tools]),
    ...(git === undefined ? {} : { git }),
  };
}

/** Write what tells of them beside finished files, and show them all at once. */
export async function publishMedia(
  making: MediaMaking,
  { shelf, staged, known, pin, machine }: Publishing,
  ctx: Context,
): Promise<FinishedBuild> {
  const { workshop } = making;
  const { host, signal } = ctx;
  const signer = await openSigner(workshop);
  const manifest = await manifestOf(making, { ...known, pin, machine }, ctx);
  const beside = await traceFiles(workshop, staged, manifest, { signer, signal, isOnBase: true });
  for (const [name, text] of Object.entries({ [manifestFile]: manifestText(manifest), ...beside }))
    await withRoom(staged, 0, () => host.files.write(join(staged, name), text));
  return publishBuild(onShelf(workshop.paths, shelf), staged, manifest, signal);
}

async function manifestOf(
  { workshop, spec, build, started }: MediaMaking,
  { pin, machine, ...known }: Publishing['known'] & Pick<Publishing, 'pin' | 'machine'>,
  { host }: Context,
): Promise<Manifest> {
  return {
    schemaVersion: 1,
    image: spec.name,
    arch: spec.arch,
    ...(spec.site === undefined ? {} : { site: spec.site }),
    description: spec.description,
    ...(spec.keep === undefined ? {} : { keep: spec.keep }),
    build,
    builtAt: new Date(host.now()).toISOString(),
    seconds: (host.monotonic() - started) / 1000,
    ...machine,
    source: { kind: spec.source.kind, options: spec.source.options, pin },
    ...(await originOf(workshop, spec, pin)),
    // Those of steps, which an installation does without.
    materials: [],
    pins: spec.source.refs.pins,
    system: {},
    packages: [],
    steps: [],
    ...known,
  };
}
