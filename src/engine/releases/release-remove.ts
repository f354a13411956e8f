import type { Io } from '../../cli/engine.ts';
import type { ReleasedImage, ReleaseRequest, ReleaseResult } from '../../cli/requests/release.ts';
import { arches, archFromNode } from '../../core/arch.ts';
import { IngotError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import type { Asset, Release } from '../../host/github-types.ts';
import type { Entry } from '../../release/entry.ts';
import { entryName, type Subject, settledName, stemOf } from '../../release/names.ts';
import { mergeNotes } from '../../release/notes.ts';
import { isOwn, ownNames } from '../../release/plan.ts';
import type { StorePaths } from '../../store/paths.ts';
import { findRelease, type Remote } from './remote.ts';
import { readEntry, stemsIn } from './remote-entries.ts';

/** What a run on a release works with. */
export type Setting = {
  readonly host: Host;
  readonly paths: StorePaths;
  readonly remote: Remote;
  readonly io: Io;
};

/** Take images out of a release: first the entry that tells of them, then the rest. A release that is left empty goes too. */
export async function removeImages(setting: Setting, request: ReleaseRequest, tag: string): Promise<ReleaseResult> {
  const { remote, io } = setting;
  const found = await findRelease(remote, tag);
  if (found === undefined) throw noRelease(remote, tag);
  const held = await remote.github.assets(found);
  const doomed = await choose(setting, request, held);
  const stems = new Set(doomed.map(({ subject }) => stemOf(subject)));
  const images: ReleasedImage[] = [];
  for (const { subject, entry, assets } of doomed) {
    const remove = assets.map(({ name, bytes }) => ({ name, bytes }));
    const planned = { ...subject, build: entry?.build ?? '', upload: [], keep: [], remove };
    if (request.execute) await removeAll(remote, assets, subject);
    images.push(request.execute ? { ...planned, outcome: 'done' } : planned);
    io.signal.throwIfAborted();
  }
  if (request.execute) await tidy(setting, found, [...stems]);
  return {
    ...{ repository: remote.repository, tag, url: found.url, executed: request.execute, images, absent: [] },
    found: found.isDraft ? 'draft' : 'published',
    others: stemsIn(held).filter((stem) => !stems.has(stem)),
  };
}

/** There is no such release, as an error. */
export function noRelease({ repository, hasToken }: Remote, tag: string): IngotError {
  const hint = hasToken ? 'ingot release puts images there' : 'of a private repository only a token sees anything';
  return new IngotError({ code: 'NOT_FOUND', message: `${repository} has no release ${tag}`, hint });
}

type Doomed = { readonly subject: Subject; readonly entry: Entry | undefined; readonly assets: readonly Asset[] };

async function choose(
  { remote, io, host }: Setting,
  { images, all, arch }: ReleaseRequest,
  held: readonly Asset[],
): Promise<readonly Doomed[]> {
  const wanted = arch === 'native' ? archFromNode(host.arch) : arch;
  const doomed: Doomed[] = [];
  for (const stem of stemsIn(held)) {
    const subject = subjectOf(stem);
    if (subject === undefined || (wanted !== 'all' && subject.arch !== wanted)) continue;
    if (!all && !images.includes(subject.image)) continue;
    const entry = await readEntry(remote, held, stem, { host, signal: io.signal });
    const own = ownNames(subject, entry);
    doomed.push({ subject, entry, assets: held.filter((asset) => isOwn(asset, own)) });
  }
  const missing = images.find((name) => !doomed.some(({ subject }) => subject.image === name));
  if (missing === undefined) return doomed;
  const there = stemsIn(held).join(', ');
  throw new IngotError({
    code: 'NOT_FOUND',
    message: `the release holds no image ${missing}${arch === 'all' ? '' : ` for ${arch}`}`,
    hint: there === '' ? 'it holds no images at all' : `it holds: ${there}`,
  });
}

function subjectOf(stem: string): Subject | undefined {
  const arch = arches.find((one) => stem.endsWith(`-${one}`));
  return arch === undefined ? undefined : { image: stem.slice(0, -arch.length - 1), arch };
}

async function removeAll({ github }: Remote, assets: readonly Asset[], subject: Subject): Promise<void> {
  const isEntry = ({ name }: Asset) => settledName(name).name === entryName(subject);
  for (const asset of assets.toSorted((a, b) => Number(isEntry(b)) - Number(isEntry(a)))) {
    await github.removeAsset(asset);
  }
}

async function tidy({ remote }: Setting, release: Release, stems: readonly string[]): Promise<void> {
  if ((await remote.github.assets(release)).length === 0) return remote.github.removeRelease(release);
  const body = mergeNotes(release.body, new Map(stems.map((stem) => [stem, undefined])));
  if (body !== release.body) await remote.github.update(release, { body });
}
