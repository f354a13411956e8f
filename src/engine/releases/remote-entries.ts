import { arches } from '../../core/arch.ts';
import type { Asset } from '../../host/github-types.ts';
import { type Entry, parseEntry } from '../../release/entry.ts';
import { entryName, type Subject, settledName, stemOf } from '../../release/names.ts';
import type { Ground } from '../site.ts';
import { type Remote, readAsset } from './remote.ts';

type Around = Pick<Ground, 'host'> & { readonly signal: AbortSignal };

const suffix = '.release.json';

/** The names of all images that a release says it holds. */
export function stemsIn(assets: readonly Asset[]): readonly string[] {
  const names = assets.filter(isReadable).map(({ name }) => settledName(name).name);
  const stems = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  return [...new Set(stems)].sort();
}

/** What a release holds of an image; undefined: nothing that can be read. */
export async function readEntry(
  remote: Remote,
  assets: readonly Asset[],
  stem: string,
  around: Around,
): Promise<Entry | undefined> {
  const mine = assets.filter((one) => isReadable(one) && settledName(one.name).name === `${stem}${suffix}`);
  // While the list gets its successor it is there under another name for a moment, or since a run was killed.
  const asset = mine.find(({ name }) => settledName(name).state === 'settled') ?? mine[0];
  if (asset === undefined) return undefined;
  const entry = parseEntry(await readAsset(remote, asset, around));
  return entry !== undefined && stemOf(entry) === stem ? entry : undefined;
}

/** What a release holds of these images, one entry for each image and architecture. */
export async function readEntries(
  remote: Remote,
  assets: readonly Asset[],
  images: readonly string[] | 'all',
  around: Around,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const stem of stemsIn(assets)) {
    if (images !== 'all' && !images.some((image) => arches.some((arch) => stemOf({ image, arch }) === stem))) continue;
    const entry = await readEntry(remote, assets, stem, around);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** The entry of one image. */
export function entryOf(remote: Remote, assets: readonly Asset[], subject: Subject, around: Around) {
  return readEntry(remote, assets, entryName(subject).slice(0, -suffix.length), around);
}

/** The asset with these bytes, whatever it is called at this moment. */
export function findAsset(
  assets: readonly Asset[],
  wanted: { readonly name: string; readonly bytes: number; readonly sha256: string },
): Asset | undefined {
  const whole = assets.filter(({ isWhole, bytes }) => isWhole && bytes === wanted.bytes);
  const known = whole.filter(({ sha256 }) => sha256 === wanted.sha256);
  return (
    known.find(({ name }) => name === wanted.name) ??
    known[0] ??
    whole.find(({ name, sha256 }) => sha256 === undefined && name === wanted.name)
  );
}

// What is still coming is not yet part of the release.
function isReadable({ isWhole, name }: Asset): boolean {
  return isWhole && settledName(name).state !== 'coming';
}
