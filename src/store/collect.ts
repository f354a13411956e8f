import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { arches } from '../core/arch.ts';
import { withLock } from '../host/lock.ts';
import { linkTarget } from './durable.ts';
import { readLayer } from './layers.ts';
import { runningBuilds } from './ledger.ts';
import { buildsFolder, type StorePaths } from './paths.ts';

/** Something in the home that can be made again, or a finished build. */
export type Holding = {
  readonly what: 'layer' | 'input' | 'package' | 'build log' | 'finished build' | 'leftover';
  /** For people. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** The last use, in milliseconds since 1970. */
  readonly usedMs: number;
  /** Why it stays whatever the limits are. */
  readonly stays?: 'current' | 'newest' | 'in use';
};

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
    holdingsIn(paths.inputs, 'input'),
    holdingsIn(paths.kept, 'input'),
    holdingsIn(paths.packages, 'package', (name) => name !== latestFolder),
    holdingsIn(join(paths.packages, latestFolder), 'package'),
    logs(paths, names),
    finishedBuilds(paths),
    leftovers(paths, names),
  ]);
  const all = found.flat().map((one) => (isBusy(one, busySince) ? { ...one, stays: 'in use' as const } : one));
  return all.sort((a, b) => a.usedMs - b.usedMs || (a.path < b.path ? -1 : 1));
}

/** Indexes of package archives, kept for when there is no network. */
const latestFolder = 'latest';

function isBusy(one: Holding, busySince: number): boolean {
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

async function layers(paths: StorePaths): Promise<readonly Holding[]> {
  const all = await holdingsIn(paths.layers, 'layer');
  return Promise.all(
    all.map(async (one) => {
      const title = (await readLayer(paths, one.name))?.title;
      return { ...one, name: title === undefined ? one.name : `${one.name.slice(0, 12)} ${title}` };
    }),
  );
}

/** The logs of builds that ended. */
async function logs(paths: StorePaths, running: ReadonlySet<string>): Promise<readonly Holding[]> {
  const all = await holdingsIn(paths.builds, 'build log');
  return all.map((one) => (running.has(one.name) ? { ...one, stays: 'in use' } : one));
}

async function finishedBuilds(paths: StorePaths): Promise<readonly Holding[]> {
  const images = await namesIn(join(paths.artifacts, 'images'));
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
    return all.map((one): Holding => {
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
async function leftovers(paths: StorePaths, running: ReadonlySet<string>): Promise<readonly Holding[]> {
  const images = await namesIn(join(paths.artifacts, 'images'));
  const folders = [
    ...[paths.layers, paths.inputs, paths.kept, paths.packages, join(paths.packages, latestFolder), paths.builds],
    ...[paths.pins, paths.checks, paths.history, paths.artifacts, join(paths.artifacts, 'images')],
    ...images.flatMap((image) => [dirname(buildsFolder(paths, image)), buildsFolder(paths, image)]),
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

function isHalf(name: string): boolean {
  return /^\..+\.(partial|link|doomed)$/.test(name);
}

async function holdingsIn(
  folder: string,
  what: Holding['what'],
  belongs: (name: string) => boolean = () => true,
): Promise<readonly Holding[]> {
  return Promise.all((await namesIn(folder)).filter(belongs).map((name) => holding(folder, name, what)));
}

async function holding(folder: string, name: string, what: Holding['what']): Promise<Holding> {
  const path = join(folder, name);
  return { what, name, path, ...(await measure(path)) };
}

/** Bytes and last use of a file, or of a folder and all it holds. */
async function measure(path: string): Promise<{ readonly bytes: number; readonly usedMs: number }> {
  const own = await lstat(path).catch(() => undefined);
  if (own === undefined) return { bytes: 0, usedMs: 0 };
  if (!own.isDirectory()) return { bytes: own.blocks * 512, usedMs: own.mtimeMs };
  const names = await readdir(path).catch(() => []);
  const below = await Promise.all(names.map((name) => measure(join(path, name))));
  return below.reduce((sum, one) => ({ bytes: sum.bytes + one.bytes, usedMs: Math.max(sum.usedMs, one.usedMs) }), {
    bytes: own.blocks * 512,
    usedMs: own.mtimeMs,
  });
}

/** What a folder holds, without hidden names. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'));
}
