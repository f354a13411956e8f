import { join } from 'node:path';
import type { Io } from '../../cli/engine.ts';
import { homeFolder } from '../../cli/place.ts';
import type { AssetSize, ReleasedImage, ReleaseRequest, ReleaseResult } from '../../cli/requests/release.ts';
import { IngotError } from '../../core/errors.ts';
import { digest } from '../../core/keys.ts';
import type { Asset, Release } from '../../host/github-types.ts';
import { withLock } from '../../host/lock.ts';
import { stemOf } from '../../release/names.ts';
import { mergeNotes } from '../../release/notes.ts';
import { usualPartBytes } from '../../release/parts.ts';
import { errorRecord } from '../../run/error-record.ts';
import type { FinishedBuild } from '../../store/artifacts.ts';
import { storePaths } from '../../store/paths.ts';
import { buildId, openJournal } from '../journal.ts';
import { type Ground, openWorkshop } from '../site.ts';
import { troubleTo } from './images.ts';
import { type Chosen, chooseBuilds } from './release-builds.ts';
import { releaseFiles } from './release-files.ts';
import { planImage, type ReleaseWork, releaseImage } from './release-image.ts';
import { sectionsFor } from './release-notes.ts';
import { removeImages, type Setting } from './release-remove.ts';
import { movingTag, tagOf } from './release-tag.ts';
import { findRelease, requireToken, withRemote } from './remote.ts';
import { entryOf, stemsIn } from './remote-entries.ts';

/** Put images into a release, or take them out; without `execute` only say what would be done. */
export async function release(ground: Ground, request: ReleaseRequest, io: Io): Promise<ReleaseResult> {
  if (request.images.length === 0 && !request.all) {
    const hint = 'ingot release NAME..., or ingot release --all';
    throw new IngotError({ code: 'USAGE', message: 'no image is named', hint });
  }
  const onTrouble = troubleTo(ground, io);
  const { host, place, cwd } = ground;
  const paths = storePaths(homeFolder(place, { env: host.env, cwd }));
  return withRemote(ground, request, { signal: io.signal, onTrouble }, async (remote) => {
    if (request.execute) requireToken(remote);
    const setting = { host, paths, remote, io };
    const chosen = request.remove ? nothing : await chooseBuilds(await openWorkshop(ground), request, io);
    const tag = tagOf(request, chosen.builds);
    const act = () =>
      request.remove ? removeImages(setting, request, tag) : releaseBuilds(setting, request, { ...chosen, tag });
    if (!request.execute) return act();
    // Two runs of one machine would upload the same names.
    const lock = join(paths.locks, `release-${digest({ web: remote.web, tag })}.lock`);
    const onWait = () => onTrouble('another run of this machine is at this release: waiting for its end');
    return withLock(lock, { signal: io.signal, onWait }, act);
  });
}

const nothing: Chosen = { builds: [], absent: [] };

type Target = Chosen & { readonly tag: string };

async function releaseBuilds(setting: Setting, request: ReleaseRequest, target: Target): Promise<ReleaseResult> {
  const { remote } = setting;
  const { builds, tag } = target;
  const found = await findRelease(remote, tag);
  if (found?.isImmutable === true && !found.isDraft) throw immutable(tag);
  const held = found === undefined ? [] : await remote.github.assets(found);
  const works: ReleaseWork[] = [];
  for (const build of builds) works.push(await workFor(setting, request, { build, held, tag }));
  const stems = new Set(builds.map(({ manifest }) => stemOf(manifest)));
  const common = {
    repository: remote.repository,
    tag,
    found: found === undefined ? ('none' as const) : found.isDraft ? ('draft' as const) : ('published' as const),
    others: stemsIn(held).filter((stem) => !stems.has(stem)),
    absent: target.absent,
  };
  refuseTooMany(works, held);
  if (!request.execute) {
    const images = works.map((work) => shown(work, planImage(work)));
    return { ...common, ...(found === undefined ? {} : { url: found.url }), executed: false, images };
  }
  // The assets to compare with are still there now.
  const sections = await sectionsFor(setting, found, works);
  const begun = found ?? (await remote.github.create(tag, { name: tag === movingTag ? 'Latest images' : tag }));
  const images: ReleasedImage[] = [];
  for (const work of works) images.push(await runImage(setting, begun, work));
  const ended = await finish(setting, { begun, images, sections });
  return { ...common, url: ended.url, executed: true, images };
}

type Finding = { readonly build: FinishedBuild; readonly held: readonly Asset[]; readonly tag: string };

async function workFor({ host, remote, io }: Setting, request: ReleaseRequest, finding: Finding): Promise<ReleaseWork> {
  const around = { host, signal: io.signal };
  const { build, held, tag } = finding;
  const partBytes = request.partBytes ?? usualPartBytes;
  return {
    build,
    held,
    files: await releaseFiles(around, build, partBytes),
    before: await entryOf(remote, held, build.manifest, around),
    web: `${remote.web}/releases/download/${encodeURIComponent(tag)}`,
    force: request.force,
  };
}

function immutable(tag: string): IngotError {
  const hint =
    tag === movingTag
      ? 'turn immutable releases off in the settings of the repository, or use --version for each release'
      : 'choose another --version';
  return new IngotError({ code: 'USAGE', message: `the release ${tag} is immutable: nothing in it can change`, hint });
}

/** GitHub takes no more; each asset that is exchanged is there twice for a while. */
const mostAssets = 1000;

function refuseTooMany(works: readonly ReleaseWork[], held: readonly Asset[]): void {
  const added = works.reduce((sum, work) => sum + planImage(work).upload.length, 0);
  if (held.length + added <= mostAssets) return;
  const message = `${held.length} assets are in the release, ${added} more would come, and GitHub takes ${mostAssets}`;
  throw new IngotError({ code: 'USAGE', message, hint: 'use larger parts, or several repositories' });
}

type Planned = ReturnType<typeof planImage>;

function shown({ build }: Pick<ReleaseWork, 'build'>, { upload, arrived, keep, remove }: Planned) {
  const { image, arch, build: id } = build.manifest;
  const size = ({ name, bytes }: AssetSize): AssetSize => ({ name, bytes });
  const kept = [...keep, ...arrived.map(({ wanted }) => wanted)];
  const wanted = new Set([...upload, ...kept].map(({ name }) => name));
  // What gets a successor is not told of twice.
  const gone = remove.filter(({ name }) => !wanted.has(name));
  return { image, arch, build: id, upload: upload.map(size), keep: kept.map(size), remove: gone.map(size) };
}

async function runImage(
  { host, paths, remote, io }: Setting,
  target: Release,
  work: ReleaseWork,
): Promise<ReleasedImage> {
  const { image, arch, key } = work.build.manifest;
  const journal = openJournal({ host, paths }, buildId(host), io);
  const started = host.monotonic();
  const planned = shown(work, planImage(work));
  const end = (
    result: Pick<ReleasedImage, 'outcome' | 'error'> & { readonly outcome: 'done' | 'cached' | 'failed' | 'cancelled' },
  ) => {
    const seconds = (host.monotonic() - started) / 1000;
    journal.emit({ type: 'build.end', image, arch, seconds, ...result });
    return { ...planned, ...result };
  };
  journal.emit({ type: 'build.start', image, arch, key });
  try {
    io.signal.throwIfAborted();
    const ctx = { signal: io.signal, emit: journal.emit, host, step: 'release' };
    const done = await releaseImage(remote, target, work, ctx);
    const isSame = done.upload.length + done.arrived.length + done.remove.length === 0;
    return end({ outcome: isSame ? 'cached' : 'done' });
  } catch (thrown) {
    const outcome = io.signal.aborted ? ('cancelled' as const) : ('failed' as const);
    return end({ outcome, ...(io.signal.aborted ? {} : { error: errorRecord(thrown) }) });
  } finally {
    journal.close();
  }
}

type Ending = {
  readonly begun: Release;
  readonly images: readonly ReleasedImage[];
  /** What the notes say of an image, by its stem. */
  readonly sections: ReadonlyMap<string, string>;
};

/** Publish a draft that is whole, or bring the notes of a release up to date. */
async function finish({ remote, io }: Setting, { begun, images, sections }: Ending): Promise<Release> {
  const isGood = ({ outcome }: ReleasedImage) => outcome === 'done' || outcome === 'cached';
  if (io.signal.aborted || (begun.isDraft && !images.every(isGood))) return begun;
  const told = images.flatMap((one) => {
    const text = sections.get(stemOf(one));
    return text !== undefined && isGood(one) ? [[stemOf(one), text] as const] : [];
  });
  const body = mergeNotes(begun.body, new Map(told));
  if (begun.isDraft) return remote.github.update(begun, { body, isDraft: false, isLatest: begun.tag === movingTag });
  return body === begun.body ? begun : remote.github.update(begun, { body });
}
