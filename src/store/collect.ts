import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { arches } from '../core/arch.ts';
import { linkTarget } from './durable.ts';
import { countOnce, type Found, type Holding, holding, holdingsIn, measure, namesIn } from './holding.ts';
import { layers, savedStates } from './layer-holdings.ts';
import { busySince, runningBuilds } from './ledger.ts';
import { buildsFolder, imageFolder, onShelf, type StorePaths, shelfFolder, shelves } from './paths.ts';
import { type Judging, judgeAll, keepAsBuilt } from './retire.ts';

export type Limits = {
  /** Take away what was used before this moment, in milliseconds since 1970. */
  readonly usedBeforeMs?: number | undefined;
  /** Take away the longest unused until no more bytes than this are left. */
  readonly keepBytes?: number | undefined;
};

type KeepOf = Judging['keepOf'];

/** Everything that lies in the home, the longest unused first. */
export async function takeStock(
  paths: StorePaths,
  nowMs: number,
  keepOf: KeepOf = keepAsBuilt,
): Promise<readonly Holding[]> {
  const names = new Set((await runningBuilds(paths)).map(({ build }) => build));
  const since = await busySince(paths, nowMs);
  const found = await Promise.all([
    layers(paths),
    savedStates(paths),
    holdingsIn(paths.inputs, 'input'),
    holdingsIn(paths.kept, 'kept file'),
    holdingsIn(paths.packages, 'package', (name) => name !== latestFolder),
    holdingsIn(join(paths.packages, latestFolder), 'package'),
    logs(paths, names),
    finishedBuilds(paths, { keepOf, nowMs, since }),
    leftovers(paths, names),
  ]);
  const all = found.flat().map((one) => (isBusy(one, since) ? { ...one, stays: 'in use' } : one));
  return countOnce(all.sort((a, b) => a.usedMs - b.usedMs || (a.path < b.path ? -1 : 1)));
}

/** Indexes of package archives, kept for when there is no network. */
const latestFolder = 'latest';

function isBusy(one: Found, since: number): boolean {
  return one.stays === undefined && one.usedMs >= since;
}

/** Which of them go under these limits; `all` is sorted as `takeStock` gives it. Leftovers of killed programs, and builds that their image's rule gives up, always go. */
export function chooseOld(all: readonly Holding[], limits: Limits): readonly Holding[] {
  let left = all.reduce((sum, one) => sum + one.bytes, 0);
  return all.filter((one) => {
    if (one.stays !== undefined) return false;
    const isOld = limits.usedBeforeMs !== undefined && one.usedMs < limits.usedBeforeMs;
    const isTooMuch = limits.keepBytes !== undefined && left > limits.keepBytes;
    const goes = one.what === 'leftover' || one.goes !== undefined || isOld || isTooMuch;
    if (goes) left -= one.bytes;
    return goes;
  });
}

/**
 * Take something away: first its name, so that nobody finds half of it. False when it stayed, because somebody used it
 * since stock was taken, or it is gone already. Finished builds go together: `removeBuilds`.
 */
export async function takeAway({ path, usedMs }: Holding): Promise<boolean> {
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

type Judged = { readonly keepOf: KeepOf; readonly nowMs: number; readonly since: number };

/** Finished builds with their fates. */
async function finishedBuilds(paths: StorePaths, { keepOf, nowMs, since }: Judged): Promise<readonly Found[]> {
  const lists = shelves.map(async (name) => {
    const shelf = onShelf(paths, name);
    const images = await namesIn(shelfFolder(shelf));
    const found = images.map(async (image) => {
      const all = await holdingsIn(buildsFolder(shelf, image), 'finished build');
      return all.map((one): Found => ({ ...one, name: nameOfBuild(image, one.name) }));
    });
    return (await Promise.all(found)).flat();
  });
  const all = (await Promise.all(lists)).flat();
  const inUse = new Set(all.filter(({ usedMs }) => usedMs >= since).map(({ path }) => path));
  const verdicts = await judgeAll(paths, { keepOf, nowMs, inUse });
  const named = await namedFolders(paths);
  return all.map((one) => {
    // One whose manifest cannot be read may still be what a stable name stands for.
    const verdict = verdicts.get(one.path) ?? (named.has(one.path) ? { fate: 'stays', why: 'current' } : undefined);
    if (verdict === undefined || verdict.fate === 'open') return one;
    return verdict.fate === 'stays' ? { ...one, stays: verdict.why } : { ...one, goes: verdict.why };
  });
}

/** The folders that stable names lead to. */
async function namedFolders(paths: StorePaths): Promise<ReadonlySet<string>> {
  const lists = shelves.map(async (name) => {
    const shelf = onShelf(paths, name);
    const stable = (await namesIn(shelfFolder(shelf))).flatMap((image) =>
      arches.map((arch) => imageFolder(shelf, image, arch)),
    );
    const targets = await Promise.all(stable.map(async (path) => [path, await linkTarget(path)] as const));
    return targets.flatMap(([path, target]) => (target === undefined ? [] : [join(dirname(path), target)]));
  });
  return new Set((await Promise.all(lists)).flat());
}

/** As commands take it: `debian-13@20261121-0412-7c1e`, with its architecture. */
function nameOfBuild(image: string, folder: string): string {
  const arch = arches.find((one) => folder.startsWith(`${one}-`));
  return arch === undefined ? `${image} ${folder}` : `${image}@${folder.slice(arch.length + 1)} ${arch}`;
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
