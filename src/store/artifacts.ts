import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Arch, arches } from '../core/arch.ts';
import type { ArtifactFile, Manifest } from '../core/manifest.ts';
import { withRoom } from '../core/space.ts';
import { withLock } from '../host/lock.ts';
import { linkTarget, makeDurableFolder, moveFolder, swapLink, sync, syncFolder, writeDurable } from './durable.ts';
import { buildsFolder, imageFolder, onShelf, type Shelf, type StorePaths, shelfFolder, shelves } from './paths.ts';
import { isRegistered, readRegistryOf, registeredImage, registerImages } from './registry.ts';
import { buildSums, refreshServed } from './served-files.ts';
import { sumsFile } from './served-names.ts';

export const manifestFile = 'manifest.json';

/** A finished build that is on disk. */
export type FinishedBuild = { readonly folder: string; readonly manifest: Manifest };

/**
 * Make a staged folder the newest build of its image: everything it holds appears at once under the stable name, or
 * nothing does. The folder must lie on the home's file system; afterwards it is gone.
 */
export async function publishBuild(
  paths: StorePaths,
  staged: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<FinishedBuild> {
  const bytes = manifest.artifacts.reduce((sum, artifact) => sum + artifact.bytes, 0);
  return withRoom(paths.artifacts, bytes, async () => {
    const folder = join(buildsFolder(paths, manifest.image), `${manifest.arch}-${manifest.build}`);
    await makeDurableFolder(dirname(folder));
    await writeFile(join(staged, sumsFile), buildSums(manifest));
    await syncFolder(staged);
    await moveFolder(staged, folder);
    await selectBuild(paths, { folder, manifest }, signal);
    return { folder, manifest };
  });
}

/**
 * Point an image's stable name at one of its finished builds, then have the lists and the registry tell of it; false when
 * it is gone. Nothing changes where the registry cannot be read.
 */
export async function selectBuild(paths: StorePaths, build: FinishedBuild, signal: AbortSignal): Promise<boolean> {
  const select = async () => {
    if ((await readBuild(build.folder)) === undefined) return false;
    await readRegistryOf(paths);
    const { image, arch } = build.manifest;
    const target = join('.builds', basename(build.folder));
    const stable = imageFolder(paths, image, arch);
    const isSelected = (await linkTarget(stable)) === target;
    if (isSelected && (await isIndexed(paths, build.manifest)) && (await isNamedInRegistry(paths, build.manifest)))
      return true;
    await syncNames(paths, build.folder);
    if (!isSelected) await turnName(paths, stable, target);
    await writeLists(paths, signal);
    return true;
  };
  const lock = join(paths.locks, 'artifacts.lock');
  return withRoom(paths.artifacts, 0, () => withLock(lock, { signal }, select));
}

/** Whoever reads the build before finds it there for a while: it was used until now. */
async function turnName(paths: StorePaths, stable: string, target: string): Promise<void> {
  const before = await linkTarget(stable);
  await swapLink({ path: stable, staging: paths.work }, target);
  const now = new Date();
  if (before !== undefined) await utimes(join(dirname(stable), before), now, now).catch(() => undefined);
}

/** Do something to the served tree that nobody else changes meanwhile, and bring its lists up to date. */
export async function refreshArtifacts(
  paths: StorePaths,
  signal: AbortSignal,
  change: () => Promise<void> = async () => {},
): Promise<void> {
  await withLock(join(paths.locks, 'artifacts.lock'), { signal }, async () => {
    await readRegistryOf(paths);
    await change();
    await withRoom(paths.artifacts, 0, () => writeLists(paths, signal));
  });
}

/** What tells of the tree follows it: lists for programs, then the registry. */
async function writeLists(paths: StorePaths, signal: AbortSignal): Promise<void> {
  await writeIndex(paths);
  await registerImages(paths, await currentManifests(paths), signal);
}

/** Whether the registry tells of the images that stable names stand for, and of no others. */
export async function isInRegistry(paths: StorePaths): Promise<boolean> {
  return isRegistered(paths, await currentManifests(paths));
}

/**
 * The same, but of each build only its id is compared, so that no manifest is read; of `own` all that the registry tells.
 * Where that does not fit, manifests decide.
 */
export async function isNamedInRegistry(paths: StorePaths, own?: Manifest): Promise<boolean> {
  const { images } = await readRegistryOf(paths);
  const told = Object.entries(images).flatMap(([name, archs]) =>
    arches.flatMap((arch) => (archs[arch] === undefined ? [] : [`${name} ${arch} ${archs[arch].image}`])),
  );
  const isImage = own !== undefined && paths.shelf === 'images';
  const isTold = !isImage || isDeepStrictEqual(images[own.image]?.[own.arch], registeredImage(own));
  if (isTold && isDeepStrictEqual(new Set(told), new Set(await currentIds(onShelf(paths, 'images'))))) return true;
  return isInRegistry(paths);
}

/** Which build each stable name of a shelf stands for. */
async function currentIds(paths: StorePaths): Promise<readonly string[]> {
  const found = (await namesOn(paths)).flatMap((name) =>
    arches.map(async (arch) => {
      const build = basename((await linkTarget(imageFolder(paths, name, arch))) ?? '');
      const manifest = join(buildsFolder(paths, name), build, manifestFile);
      const isThere = build !== '' && (await stat(manifest).catch(() => undefined)) !== undefined;
      return isThere ? [`${name} ${arch} ${name}@${build.slice(arch.length + 1)}`] : [];
    }),
  );
  return (await Promise.all(found)).flat();
}

async function currentManifests(paths: StorePaths): Promise<readonly Manifest[]> {
  return (await currentBuilds(onShelf(paths, 'images'))).map(({ manifest }) => manifest);
}

/** The builds that the stable names of a shelf stand for. */
export async function currentBuilds(paths: StorePaths): Promise<readonly FinishedBuild[]> {
  const found = (await namesOn(paths)).map((name) =>
    Promise.all(arches.map((arch) => currentBuild(paths, name, arch))),
  );
  return (await Promise.all(found)).flat().filter((build) => build !== undefined);
}

async function namesOn(paths: StorePaths): Promise<readonly string[]> {
  return (await readdir(shelfFolder(paths)).catch(() => [])).sort((a, b) => (a < b ? -1 : 1));
}

/** All finished builds of a shelf, the newest of each image first. */
export async function allBuilds(paths: StorePaths): Promise<readonly FinishedBuild[]> {
  const found = (await namesOn(paths)).map((name) =>
    Promise.all(arches.map((arch) => finishedBuilds(paths, name, arch))),
  );
  return (await Promise.all(found)).flat(2);
}

/** What an earlier start named and was killed before it had the names on the disk, a later one finds and relies on. */
async function syncNames(paths: StorePaths, folder: string): Promise<void> {
  for (let above = dirname(folder); above.length > paths.home.length; above = dirname(above)) await sync(above);
  await sync(paths.home);
}

/** Mark a finished build as used now, so that it is not taken for an old one; no matter where nothing can be written. */
export async function markUsed({ folder }: FinishedBuild, nowMs: number): Promise<void> {
  await utimes(folder, nowMs / 1000, nowMs / 1000).catch(() => undefined);
}

/** The build that an image's stable name stands for. */
export async function currentBuild(paths: StorePaths, image: string, arch: Arch): Promise<FinishedBuild | undefined> {
  const target = await linkTarget(imageFolder(paths, image, arch));
  return target === undefined ? undefined : readBuild(join(buildsFolder(paths, image), basename(target)));
}

/** All finished builds of an image, newest first. */
export async function finishedBuilds(paths: StorePaths, image: string, arch: Arch): Promise<readonly FinishedBuild[]> {
  const names = await readdir(buildsFolder(paths, image)).catch(() => []);
  const mine = names.filter((name) => name.startsWith(`${arch}-`)).sort();
  const builds = await Promise.all(mine.map((name) => readBuild(join(buildsFolder(paths, image), name))));
  return builds.filter((build) => build !== undefined).reverse();
}

/** A finished build by its key, whole: every file is there with its size. */
export async function findByKey(
  paths: StorePaths,
  image: string,
  arch: Arch,
  key: string,
): Promise<FinishedBuild | undefined> {
  for (const build of await finishedBuilds(paths, image, arch)) {
    if (build.manifest.key === key && (await isWhole(build))) return build;
  }
  return undefined;
}

async function isWhole(build: FinishedBuild): Promise<boolean> {
  const { artifacts, sidecars = [] } = build.manifest;
  for (const artifact of [...artifacts, ...sidecars]) {
    const size = await stat(join(build.folder, artifact.file)).then(
      (found) => found.size,
      () => -1,
    );
    if (size !== artifact.bytes) return false;
  }
  return true;
}

async function readBuild(folder: string): Promise<FinishedBuild | undefined> {
  try {
    return { folder, manifest: JSON.parse(await readFile(join(folder, manifestFile), 'utf8')) as Manifest };
  } catch {
    return undefined;
  }
}

/** Write down new check results of a finished build. */
export async function updateManifest(
  paths: StorePaths,
  build: FinishedBuild,
  manifest: Manifest,
): Promise<FinishedBuild> {
  await writeDurable({ path: join(build.folder, manifestFile), staging: paths.work }, manifestText(manifest));
  return { ...build, manifest };
}

/** How a manifest is written. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Whether the index tells of a build; a kill between link and index leaves it behind by one. */
async function isIndexed(paths: StorePaths, { image, arch, build }: Manifest): Promise<boolean> {
  try {
    const index = JSON.parse(await readFile(join(paths.artifacts, indexFile), 'utf8')) as Index;
    return index[paths.shelf]?.[image]?.[arch]?.build === build;
  } catch {
    return false;
  }
}

const indexFile = 'index.json';
type IndexEntry = Pick<Manifest, 'build' | 'key' | 'builtAt'> & {
  readonly files: readonly (Omit<ArtifactFile, 'file'> & { readonly path: string })[];
};
type Listed = Record<string, Record<string, IndexEntry>>;
type Index = Partial<Record<Shelf, Listed>>;

/** `artifacts/index.json`: everything finished by its stable paths; can always be made again from the manifests. */
async function writeIndex(paths: StorePaths): Promise<void> {
  const lists = shelves.map(async (shelf) => [shelf, await listShelf(onShelf(paths, shelf))] as const);
  // Images are what programs look for first; they find a list of them, even an empty one.
  const listed = (await Promise.all(lists)).filter(([shelf, all]) => shelf === 'images' || Object.keys(all).length > 0);
  const images = onShelf(paths, 'images');
  const media = await Promise.all((['isos', 'netboot'] as const).map((shelf) => allBuilds(onShelf(paths, shelf))));
  const files = await refreshServed(paths, {
    images: await allBuilds(images),
    media: media.flat(),
    current: await currentBuilds(images),
  });
  const foreign = files.length === 0 ? {} : { files };
  await writeDurable(
    { path: join(paths.artifacts, indexFile), staging: paths.work },
    `${JSON.stringify({ schemaVersion: 1, ...Object.fromEntries(listed), ...foreign }, undefined, 2)}\n`,
  );
}

async function listShelf(paths: StorePaths): Promise<Listed> {
  const found: Listed = {};
  for (const image of await namesOn(paths)) {
    for (const arch of arches) {
      const build = await currentBuild(paths, image, arch);
      if (build === undefined) continue;
      const { key, builtAt, artifacts, build: id } = build.manifest;
      const files = artifacts.map(({ file, format, bytes, sha256 }) => ({
        path: `${paths.shelf}/${image}/${arch}/${file}`,
        format,
        bytes,
        sha256,
      }));
      found[image] = { ...found[image], [arch]: { build: id, key, builtAt, files } };
    }
  }
  return found;
}
