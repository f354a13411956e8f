import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { arches } from '../core/arch.ts';
import { withLock } from '../host/lock.ts';
import { linkTarget } from './durable.ts';
import { countOnce, type Found, type Holding, holding, holdingsIn, measure, namesIn } from './holding.ts';
import { layers, savedStates } from './layer-holdings.ts';
import { runningBuilds } from './ledger.ts';
import { buildsFolder, onShelf, type StorePaths, shelfFolder, shelves } from './paths.ts';

export type Limits = {
  /** Take away what was used before this moment, in milliseconds since 1970. */
  readonly usedBeforeMs?: number | undefined;
  /** Take away the longest unused until no more bytes than this are left. */
  readonly keepBytes?: number | undefined;
};

/** How many finished builds of an image and architecture stay: the newest and the one to compare it with. */
const keptBuilds = 2;
/** Between a build's first look at something and its being marked as running. */
const graceMs = 60_000;

/** Everything that lies in the home, the longest unused first. */
export async function takeStock(paths: StorePaths, nowMs: number): Promise<readonly Holding[]> {
  const running = await runningBuilds(paths);
  const names = new Set(running.map(({ build }) => build));
  const busySince = Math.min(nowMs, ...running.map(({ sinceMs }) => sinceMs)) - graceMs;
  const found = await Promise.all([
    layers(paths),
    savedStates(paths),
    holdingsIn(paths.inputs, 'input'),
    holdingsIn(paths.kept, 'kept file'),
    holdingsIn(paths.packages, 'package', (name) => name !== latestFolder),
    holdingsIn(join(paths.packages, latestFolder), 'package'),
    logs(paths, names),
    ...shelves.map((shelf) => finishedBuilds(onShelf(paths, shelf))),
    leftovers(paths, names),
  ]);
  const all = found.flat().map((one) => (isBusy(one, busySince) ? { ...one, stays: 'in use' as const } : one));
  return countOnce(all.sort((a, b) => a.usedMs - b.usedMs || (a.path < b.path ? -1 : 1)));
}

/** Indexes of package archives, kept for when there is no network. */
const latestFolder = 'latest';

function isBusy(one: Found, busySince: number): boolean {
  return one.stays === undefined && one.usedMs >= busySince;
}

/** Which of them go under these limits; `all` is sorted as `takeStock` gives it. Leftovers of killed programs always go. */
export function chooseOld(all: readonly Holding[], limits: Limits): readonly Holding[] {
  let left = all.reduce((sum, one) => sum + one.bytes, 0);
  return all.filter((one) => {
    if (one.stays !== undefined) return false;
    const isOld = limits.usedBeforeMs !== undefined && one.usedMs < limits.usedBeforeMs;
    const isTooMuch = limits.keepBytes !== undefined && left > limits.keepBytes;
    const goes = one.what === 'leftover' || isOld || isTooMuch;
    if (goes) left -= one.bytes;
    return goes;
  });
}

/**
 * Take something away: first its name, so that nobody finds half of it. False when it stayed, because somebody used it
 * since stock was taken, or it is gone already.
 */
export async function takeAway(paths: StorePaths, one: Holding, signal: AbortSignal): Promise<boolean> {
  // Whoever makes an older build the current one does so under this lock.
  if (one.what !== 'finished build') return remove(one);
  return withLock(join(paths.locks, 'artifacts.lock'), { signal }, async () => {
    const image = dirname(dirname(one.path));
    return (await currentNames(image)).has(basename(one.path)) ? false : remove(one);
  });
}

async function remove({ path, usedMs }: Holding): Promise<boolean> {
  if ((await measure(path)).usedMs > usedMs) return false;
  const doomed = join(dirname(path), `.${basename(path)}.doomed`);
  await rm(doomed, { recursive: true, force: true });
  const moved = await rename(path, doomed).then(
    () => true,
    () => false,
  );
  await rm(doomed, { recursive: true, force: true });
  return moved;
}

/** The logs of builds that ended. */
async function logs(paths: StorePaths, running: ReadonlySet<string>): Promise<readonly Found[]> {
  const all = await holdingsIn(paths.builds, 'build log');
  return all.map((one) => (running.has(one.name) ? { ...one, stays: 'in use' } : one));
}

async function finishedBuilds(paths: StorePaths): Promise<readonly Found[]> {
  const images = await namesIn(shelfFolder(paths));
  const lists = images.map(async (image) => {
    const folder = buildsFolder(paths, image);
    const current = await currentNames(dirname(folder));
    const all = await holdingsIn(folder, 'finished build');
    // Names end in the build's id, which sorts by time.
    const newest = new Set(
      arches.flatMap((arch) => {
        const names = all.map(({ name }) => name).filter((name) => name.startsWith(`${arch}-`));
        return names.sort().slice(-keptBuilds);
      }),
    );
    return all.map((one): Found => {
      const stays = current.has(one.name) ? 'current' : newest.has(one.name) ? 'newest' : undefined;
      return { ...one, name: `${image} ${one.name}`, ...(stays === undefined ? {} : { stays }) };
    });
  });
  return (await Promise.all(lists)).flat();
}

/** The folders that the stable names of an image stand for. */
async function currentNames(image: string): Promise<ReadonlySet<string>> {
  const targets = await Promise.all(arches.map((arch) => linkTarget(join(image, arch))));
  return new Set(targets.flatMap((target) => (target === undefined ? [] : [basename(target)])));
}

/** What programs that were killed left half written or half removed, and work folders that no ledger knows. */
async function leftovers(paths: StorePaths, running: ReadonlySet<string>): Promise<readonly Found[]> {
  const served = await Promise.all(shelves.map((shelf) => servedFolders(onShelf(paths, shelf))));
  const states = await namesIn(paths.states);
  const folders = [
    ...states.map((image) => join(paths.states, image)),
    ...[paths.layers, paths.inputs, paths.kept, paths.packages, join(paths.packages, latestFolder), paths.builds],
    ...[paths.pins, paths.checks, paths.history, paths.artifacts],
    ...served.flat(),
  ];
  const half = await Promise.all(
    folders.map(async (folder) => {
      const names = (await readdir(folder).catch(() => [])).filter((name) => isHalf(name));
      return Promise.all(names.map((name) => holding(folder, name, 'leftover')));
    }),
  );
  const work = await holdingsIn(paths.work, 'leftover', (name) => !running.has(name));
  return [...half.flat(), ...work];
}

async function servedFolders(paths: StorePaths): Promise<readonly string[]> {
  const shelf = shelfFolder(paths);
  const images = await namesIn(shelf);
  return [shelf, ...images.flatMap((image) => [dirname(buildsFolder(paths, image)), buildsFolder(paths, image)])];
}

function isHalf(name: string): boolean {
  return /^\..+\.(partial|link|doomed)$/.test(name);
}
