import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { arches } from '../core/arch.ts';
import { linkTarget } from './durable.ts';
import { buildsFolder, imageFolder, type StorePaths } from './paths.ts';

/** Something in the home that can be taken away: it can be made again, or a newer one took its place. */
export type Collectable = {
  readonly what: 'layer' | 'input' | 'package' | 'build log' | 'old build';
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
};

export type Limits = {
  /** Take away what was used before this moment, in milliseconds since 1970. */
  readonly usedBeforeMs?: number | undefined;
  /** Take away the longest unused until no more bytes than this are left. */
  readonly keepBytes?: number | undefined;
};

/** Everything that may go, the longest unused first. The build that an image's stable name stands for never may. */
export async function collectables(paths: StorePaths): Promise<readonly Collectable[]> {
  const found = await Promise.all([
    entriesOf('layer', paths.layers),
    entriesOf('input', paths.inputs),
    entriesOf('package', paths.packages),
    endedBuilds(paths),
    oldBuilds(paths),
  ]);
  return found.flat().sort((a, b) => a.usedMs - b.usedMs || (a.path < b.path ? -1 : 1));
}

/** Which of them go under these limits; `all` is sorted as `collectables` gives it. */
export function chooseOld(all: readonly Collectable[], limits: Limits): readonly Collectable[] {
  let left = all.reduce((sum, one) => sum + one.bytes, 0);
  return all.filter((one) => {
    const isOld = limits.usedBeforeMs !== undefined && one.usedMs < limits.usedBeforeMs;
    const isTooMuch = limits.keepBytes !== undefined && left > limits.keepBytes;
    if (isOld || isTooMuch) left -= one.bytes;
    return isOld || isTooMuch;
  });
}

/** Take it away: first its name, so that nobody finds half of it. */
export async function removeCollectable({ path }: Collectable): Promise<void> {
  const doomed = `${path}.doomed`;
  await rm(doomed, { recursive: true, force: true });
  await rename(path, doomed).catch(() => undefined);
  await rm(doomed, { recursive: true, force: true });
}

async function entriesOf(what: Collectable['what'], folder: string): Promise<readonly Collectable[]> {
  const names = await namesIn(folder);
  return Promise.all(
    names.map(async (name): Promise<Collectable> => {
      const path = join(folder, name);
      return { what, name, path, ...(await measure(path)) };
    }),
  );
}

/** The logs of builds that ended; one with a ledger is alive, or is for `reap`. */
async function endedBuilds(paths: StorePaths): Promise<readonly Collectable[]> {
  const all = await entriesOf('build log', paths.builds);
  const alive = await Promise.all(all.map(async ({ path }) => (await namesIn(path)).includes('ledger.lock')));
  return all.filter((_, index) => alive[index] !== true);
}

async function oldBuilds(paths: StorePaths): Promise<readonly Collectable[]> {
  const images = await namesIn(join(paths.artifacts, 'images'));
  const lists = images.map(async (image) => {
    const links = await Promise.all(arches.map((arch) => linkTarget(imageFolder(paths, image, arch))));
    const current = new Set(links.map((target) => target?.split('/').at(-1)));
    const all = await entriesOf('old build', buildsFolder(paths, image));
    return all.flatMap((one) => (current.has(one.name) ? [] : [{ ...one, name: `${image} ${one.name}` }]));
  });
  return (await Promise.all(lists)).flat();
}

/** Bytes and last use of a file, or of a folder and all it holds. */
async function measure(path: string): Promise<{ readonly bytes: number; readonly usedMs: number }> {
  const own = await stat(path).catch(() => undefined);
  if (own === undefined) return { bytes: 0, usedMs: 0 };
  if (!own.isDirectory()) return { bytes: own.blocks * 512, usedMs: own.mtimeMs };
  const below = await Promise.all((await namesIn(path)).map((name) => measure(join(path, name))));
  return below.reduce((sum, one) => ({ bytes: sum.bytes + one.bytes, usedMs: Math.max(sum.usedMs, one.usedMs) }), {
    bytes: 0,
    usedMs: own.mtimeMs,
  });
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
