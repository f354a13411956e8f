import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Arch } from '../core/arch.ts';
import type { Keep, Manifest } from '../core/manifest.ts';
import { isNoSpace } from '../core/space.ts';
import {
  allBuilds,
  currentBuilds,
  type FinishedBuild,
  isInRegistry,
  isNamedInRegistry,
  refreshArtifacts,
} from './artifacts.ts';
import { measure, namesIn } from './holding.ts';
import { busySince } from './ledger.ts';
import { buildsFolder, onShelf, type StorePaths, shelfFolder, shelves } from './paths.ts';
import { changeRegistry, readRegistryOf } from './registry.ts';
import { judgeBuilds, type RetentionFacts, type Verdict } from './retention.ts';

/** The rule that an image had when it was last built. */
export function keepAsBuilt({ keep }: Manifest): Keep | undefined {
  return keep;
}

export type Judging = Pick<RetentionFacts, 'keepOf' | 'inUse' | 'nowMs'>;

/** The fate of all finished builds of a home, by their folders. */
export async function judgeAll(paths: StorePaths, judging: Judging): Promise<ReadonlyMap<string, Verdict>> {
  const lists = await Promise.all(shelves.map((shelf) => buildsOn(onShelf(paths, shelf))));
  const { deployments } = await readRegistryOf(paths);
  const current = new Set(lists.flatMap((list) => list.current));
  return judgeBuilds(
    lists.flatMap(({ builds }) => builds),
    { ...judging, current, deployments },
  );
}

async function buildsOn(
  paths: StorePaths,
): Promise<{ readonly builds: readonly FinishedBuild[]; readonly current: readonly string[] }> {
  const [builds, current] = await Promise.all([allBuilds(paths), currentBuilds(paths)]);
  return { builds, current: current.map(({ folder }) => folder) };
}

/** Take away the builds of an image that its rule does not speak for; gives their ids. */
export async function retireBuilds(
  paths: StorePaths,
  { image, arch, keep }: { readonly image: string; readonly arch: Arch; readonly keep: Keep },
  nowMs: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const own = (await allBuilds(paths)).filter(({ manifest }) => manifest.image === image && manifest.arch === arch);
  const since = await busySince(paths, nowMs);
  const found = await Promise.all(own.map(async ({ folder }) => ({ path: folder, ...(await measure(folder)) })));
  const idle = found.filter(({ usedMs }) => usedMs < since);
  // Whatever else there is stays for now, and what it was made from too.
  const keepOf = (newest: Manifest) => (newest.image === image && newest.arch === arch ? keep : undefined);
  const verdicts = await judgeAll(paths, { keepOf, nowMs, inUse: new Set() });
  const going = idle.filter(({ path }) => verdicts.get(path)?.fate === 'goes');
  if (going.length === 0) return [];
  const gone = await removeBuilds(paths, going, { keepOf, nowMs }, signal);
  return own.filter(({ folder }) => gone.has(folder)).map(({ manifest }) => manifest.build);
}

/** A build as it was found: its folder and its last use. */
export type Idle = { readonly path: string; readonly usedMs: number };

/**
 * Take away finished builds, except those that were used, deployed or built upon meanwhile; gives the folders that went.
 * First their names go, then the lists forget them, then their bytes: a kill in between is mended by `settleTree`.
 */
export async function removeBuilds(
  paths: StorePaths,
  builds: readonly Idle[],
  judging: Omit<Judging, 'inUse'>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  if (builds.length === 0) return gone;
  const doomAll = () =>
    // Nobody makes one the current build, or writes down that it is deployed, under these locks.
    changeRegistry(paths, signal, async () => {
      const inUse = new Set<string>();
      for (const { path, usedMs } of builds) if ((await measure(path)).usedMs > usedMs) inUse.add(path);
      const verdicts = await judgeAll(paths, { ...judging, inUse });
      for (const { path } of builds) {
        if (verdicts.get(path)?.fate !== 'stays' && !inUse.has(path) && (await doom(path))) gone.add(path);
      }
    });
  await forgetDoomed(paths, signal, { doomAll, doomed: () => [...gone].map(doomedName) });
  return gone;
}

type Dooming = { readonly doomAll?: () => Promise<void>; readonly doomed: () => readonly string[] };

/** Have the lists forget builds before their bytes go; after, where there is no room to write a list. */
async function forgetDoomed(paths: StorePaths, signal: AbortSignal, { doomAll, doomed }: Dooming): Promise<void> {
  const remove = async () => {
    for (const path of doomed()) await rm(path, { recursive: true, force: true });
  };
  try {
    await refreshArtifacts(paths, signal, doomAll);
  } catch (error) {
    if (!isNoSpace(error) || doomed().length === 0) throw error;
    await remove();
    await refreshArtifacts(paths, signal);
  }
  await remove();
}

/** False when it is gone already. */
async function doom(path: string): Promise<boolean> {
  await rm(doomedName(path), { recursive: true, force: true });
  return rename(path, doomedName(path)).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

function doomedName(path: string): string {
  return join(dirname(path), `.${basename(path)}.doomed`);
}

/**
 * Where a program was killed between a change of the tree and its being told: tell it now. Each start that changes
 * anything begins so. `named`: a kill is found by the names of builds; what somebody else did to the registry is not.
 */
export async function settleTree(paths: StorePaths, signal: AbortSignal, named = false): Promise<void> {
  const doomed = (await Promise.all(shelves.map((shelf) => doomedOn(onShelf(paths, shelf))))).flat();
  if (doomed.length === 0 && (await (named ? isNamedInRegistry(paths) : isInRegistry(paths)))) return;
  await forgetDoomed(paths, signal, { doomed: () => doomed });
}

async function doomedOn(paths: StorePaths): Promise<readonly string[]> {
  const images = await namesIn(shelfFolder(paths));
  const lists = images.map(async (image) => {
    const folder = buildsFolder(paths, image);
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => name.endsWith('.doomed')).map((name) => join(folder, name));
  });
  return (await Promise.all(lists)).flat();
}
