import { join, resolve } from 'node:path';
import type { Io } from '../../cli/engine.ts';
import { homeFolder } from '../../cli/place.ts';
import type {
  ImageDownload,
  ImageDownloadRequest,
  ReleasedListRequest,
  RemoteImage,
} from '../../cli/requests/release.ts';
import { archFromNode } from '../../core/arch.ts';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { Asset } from '../../host/github-types.ts';
import { withLock } from '../../host/lock.ts';
import type { Entry } from '../../release/entry.ts';
import { stemOf } from '../../release/names.ts';
import { errorRecord } from '../../run/error-record.ts';
import { trustedKeys } from '../../run/signing.ts';
import { currentBuild, findByKey, publishBuild, selectBuild } from '../../store/artifacts.ts';
import { imageFolder, type StorePaths, storePaths } from '../../store/paths.ts';
import { buildId, openJournal } from '../journal.ts';
import type { Ground } from '../site.ts';
import { readKey } from '../verify.ts';
import { type Brought, bringImage } from './image-download.ts';
import { noRelease } from './release-remove.ts';
import { movingTag } from './release-tag.ts';
import { findRelease, type Remote, withRemote } from './remote.ts';
import { readEntries, readEntry, stemsIn } from './remote-entries.ts';

/** What a release holds for those who want images. */
export async function listReleased(
  ground: Ground,
  request: ReleasedListRequest,
  io: Io,
): Promise<readonly RemoteImage[]> {
  const { host } = ground;
  const paths = pathsOf(ground);
  const tag = request.version ?? movingTag;
  return withRemote(ground, request, { signal: io.signal, onTrouble: troubleTo(ground, io) }, async (remote) => {
    const { assets } = await openRelease(remote, tag);
    const entries = await readEntries(remote, assets, 'all', { host, signal: io.signal });
    return Promise.all(entries.map((entry) => remoteImage(entry, tag, paths)));
  });
}

function pathsOf({ host, place, cwd }: Ground): StorePaths {
  return storePaths(homeFolder(place, { env: host.env, cwd }));
}

/** Warnings of what a remote waits for. */
export function troubleTo({ host }: Pick<Ground, 'host'>, io: Io): (why: string) => void {
  let seq = 0;
  return (message) =>
    io.emit({ type: 'warning', message, seq: ++seq, time: new Date(host.now()).toISOString(), build: 'github' });
}

async function openRelease(remote: Remote, tag: string) {
  const release = await findRelease(remote, tag);
  if (release === undefined) throw noRelease(remote, tag);
  return { release, assets: await remote.github.assets(release) };
}

async function remoteImage(entry: Entry, tag: string, paths: StorePaths): Promise<RemoteImage> {
  const { image, arch, description, build, builtAt, system } = entry;
  const images = entry.files.filter(({ format }) => format !== undefined);
  return {
    ...{ image, arch, tag, description, build, builtAt },
    ...(system === undefined ? {} : { system }),
    formats: images.flatMap(({ format }) => format ?? []),
    bytes: images.reduce((sum, one) => sum + one.bytes, 0),
    here: (await currentBuild(paths, image, arch))?.manifest.build === build,
  };
}

type Setting = {
  readonly ground: Ground;
  readonly paths: StorePaths;
  readonly remote: Remote;
  readonly request: ImageDownloadRequest;
  readonly tag: string;
  readonly io: Io;
};

/** Fetch images of a release; one result for each. */
export async function downloadImages(
  ground: Ground,
  request: ImageDownloadRequest,
  io: Io,
): Promise<readonly ImageDownload[]> {
  const paths = pathsOf(ground);
  const tag = request.version ?? movingTag;
  return withRemote(ground, request, { signal: io.signal, onTrouble: troubleTo(ground, io) }, async (remote) => {
    const { assets } = await openRelease(remote, tag);
    const entries = await readEntries(remote, assets, request.images, { host: ground.host, signal: io.signal });
    const chosen = choose({ entries, stems: stemsIn(assets) }, request, archFromNode(ground.host.arch));
    const setting = { ground, paths, remote, request, tag, io };
    const results: ImageDownload[] = [];
    for (const entry of chosen) results.push(await downloadOne(setting, { entry, assets }));
    return results;
  });
}

/** `native`: this machine's architecture where the image has it, else all it has. */
function choose(
  { entries, stems }: { readonly entries: readonly Entry[]; readonly stems: readonly string[] },
  { images, arch }: ImageDownloadRequest,
  native: Entry['arch'] | undefined,
): readonly Entry[] {
  const names = images === 'all' ? [...new Set(entries.map(({ image }) => image))] : images;
  return names.flatMap((name) => {
    const all = entries.filter(({ image }) => image === name);
    const wanted = arch === 'native' ? native : arch;
    const own = all.filter((one) => one.arch === wanted);
    const found = arch === 'all' || (arch === 'native' && own.length === 0) ? all : own;
    if (found.length > 0 || (images === 'all' && all.length > 0)) return found;
    const there = stems.join(', ');
    throw new IngotError({
      code: 'NOT_FOUND',
      message: `the release holds no image ${name}${all.length > 0 ? ` for ${arch}` : ''}`,
      hint: there === '' ? 'it holds no images at all' : `it holds: ${there}`,
    });
  });
}

/** An image of a release, and what the release held when it was chosen. */
type Chosen = { readonly entry: Entry; readonly assets: readonly Asset[] };

async function downloadOne(setting: Setting, chosen: Chosen): Promise<ImageDownload> {
  const { ground, paths, io } = setting;
  const { host } = ground;
  const { image, arch, build, key } = chosen.entry;
  const journal = openJournal({ host, paths }, buildId(host), io);
  const ctx: Context = { signal: io.signal, emit: journal.emit, host, step: 'fetch' };
  const started = host.monotonic();
  const end = (result: Pick<ImageDownload, 'outcome' | 'paths' | 'signedBy' | 'error'>): ImageDownload => {
    const seconds = (host.monotonic() - started) / 1000;
    const error = result.error === undefined ? {} : { error: result.error };
    journal.emit({ type: 'build.end', image, arch, outcome: result.outcome, seconds, ...error });
    return { image, arch, build, ...result };
  };
  journal.emit({ type: 'build.start', image, arch, key });
  try {
    const brought = await (setting.request.publish ? intoArtifacts : intoFolder)(setting, chosen, ctx);
    const { isNew, signedBy } = brought;
    const signed = signedBy === undefined ? {} : { signedBy };
    return end({ outcome: isNew ? 'done' : 'cached', paths: brought.paths, ...signed });
  } catch (thrown) {
    if (io.signal.aborted) return end({ outcome: 'cancelled', paths: [] });
    return end({ outcome: 'failed', paths: [], error: errorRecord(thrown) });
  } finally {
    journal.close();
  }
}

async function intoFolder(setting: Setting, chosen: Chosen, ctx: Context): Promise<Brought> {
  const { ground, request } = setting;
  const folder = join(resolve(ground.cwd, request.output), chosen.entry.image, chosen.entry.arch);
  return bringFresh(setting, chosen, folder, ctx);
}

/** The whole build under its stable name, or nothing of it. */
async function intoArtifacts(setting: Setting, chosen: Chosen, ctx: Context): Promise<Brought> {
  const { paths, io } = setting;
  const { entry } = chosen;
  const { image, arch, build, key } = entry;
  const stable = imageFolder(paths, image, arch);
  const lock = join(paths.locks, `download-${stemOf(entry)}.lock`);
  return withLock(lock, { signal: io.signal }, async () => {
    const here = await findByKey(paths, image, arch, key);
    if (here?.manifest.build === build && (await selectBuild(paths, here, io.signal))) {
      return { paths: here.manifest.artifacts.map(({ file }) => join(stable, file)), isNew: false };
    }
    // By the build's own id: what was fetched of it stays for the next run, until `ingot gc` takes it.
    const staged = join(paths.work, `download-${stemOf(entry)}-${build}`);
    const brought = await bringFresh(setting, chosen, staged, ctx);
    const { manifest } = brought;
    await publishBuild(paths, staged, manifest, io.signal);
    return { ...brought, paths: manifest.artifacts.map(({ file }) => join(stable, file)), isNew: true };
  });
}

/** A release may get a newer build while it is fetched. */
const mostTries = 3;

async function bringFresh(setting: Setting, chosen: Chosen, folder: string, ctx: Context) {
  const { ground, remote, request, tag, io } = setting;
  const { host, cwd } = ground;
  const trusted =
    request.key === undefined
      ? await trustedKeys(setting.paths, host.files)
      : [await readKey({ host, cwd }, request.key)];
  const { image } = chosen.entry;
  const terms = { trusted, allowUnsigned: request.allowUnsigned || trusted.length === 0, image };
  let { entry, assets } = chosen;
  for (let tries = 1; ; tries++) {
    try {
      return await bringImage({ remote, assets, folder, terms }, entry, ctx);
    } catch (error) {
      const isGone = error instanceof IngotError && error.code === 'NOT_FOUND';
      if (!isGone || tries === mostTries) throw error;
      ctx.emit({ type: 'log', id: ctx.step, line: `${error.message}; looking at the release once more` });
      assets = (await openRelease(remote, tag)).assets;
      const now = await readEntry(remote, assets, stemOf(entry), { host, signal: io.signal });
      // Among the artifacts a build has a folder of its own: another one is for the next run.
      if (now !== undefined && !request.publish) entry = now;
    }
  }
}
