import { join } from 'node:path';
import type { GcRequest, GcResult } from '../cli/requests/upkeep.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { withLock } from '../host/lock.ts';
import { imageId } from '../plan/family.ts';
import { chooseOld, takeAway, takeStock } from '../store/collect.ts';
import type { Holding } from '../store/holding.ts';
import { reap } from '../store/ledger.ts';
import type { StorePaths } from '../store/paths.ts';
import { type Judging, keepAsBuilt, removeBuilds, settleTree } from '../store/retire.ts';
import { type Ground, openWorkshop, selectImages } from './site.ts';

/** What is asked for when no limit is. */
const defaultAgeSeconds = 30 * 86_400;

type Around = Pick<Host, 'now'> & { readonly keepOf?: Judging['keepOf'] };

/**
 * Free space under the home: first what killed builds left and what the rules of images give up, then what the limits
 * say, the longest unused first. Current builds, what is deployed or built upon and whatever a running build uses stay.
 */
export async function collectGarbage(
  paths: StorePaths,
  request: GcRequest,
  { now, keepOf = keepAsBuilt }: Around,
  signal: AbortSignal,
): Promise<GcResult> {
  if (request.dryRun) {
    const all = await takeStock(paths, now(), keepOf);
    return resultOf(all, chooseOld(all, limitsOf(request, now())), { request, nowMs: now() });
  }
  return withLock(join(paths.locks, 'gc.lock'), { signal }, async () => {
    await reap(paths);
    await settleTree(paths, signal);
    const all = await takeStock(paths, now(), keepOf);
    const chosen = chooseOld(all, limitsOf(request, now()));
    const builds = chosen.filter(({ what }) => what === 'finished build');
    const gone = new Set<Holding>();
    for (const one of chosen) {
      signal.throwIfAborted();
      if (one.what !== 'finished build' && (await takeAway(one))) gone.add(one);
    }
    // The lists that forget builds need a little room: last.
    const retired = await removeBuilds(paths, builds, { keepOf, nowMs: now() }, signal);
    for (const one of builds) if (retired.has(one.path)) gone.add(one);
    return resultOf(
      all,
      chosen.filter((one) => gone.has(one)),
      { request, nowMs: now() },
    );
  });
}

/** The rules of the project where there is one that can be read; of other images those that they were built with. */
export async function keepRules(ground: Ground): Promise<Judging['keepOf']> {
  const images = async () => selectImages(await openWorkshop(ground), { images: [], arch: 'all' });
  const specs = await images().catch((error: unknown) => {
    if (error instanceof IngotError) return [];
    throw error;
  });
  const rules = new Map(specs.map(({ name, arch, keep }) => [imageId(name, arch), keep]));
  return (newest) => {
    const id = imageId(newest.image, newest.arch);
    return rules.has(id) ? rules.get(id) : keepAsBuilt(newest);
  };
}

function ageOf({ olderThanSeconds, keepBytes }: GcRequest): number | undefined {
  return olderThanSeconds ?? (keepBytes === undefined ? defaultAgeSeconds : undefined);
}

function limitsOf(request: GcRequest, nowMs: number) {
  const age = ageOf(request);
  return { usedBeforeMs: age === undefined ? undefined : nowMs - age * 1000, keepBytes: request.keepBytes };
}

type Asked = { readonly request: GcRequest; readonly nowMs: number };

function resultOf(all: readonly Holding[], gone: readonly Holding[], { request, nowMs }: Asked): GcResult {
  const sum = (list: readonly Holding[]) => list.reduce((bytes, one) => bytes + one.bytes, 0);
  const staying = new Set(all);
  for (const one of gone) staying.delete(one);
  const told = ({ what, name, bytes, usedMs }: Holding) => {
    return { what, name, bytes, unusedSeconds: Math.max(0, (nowMs - usedMs) / 1000) };
  };
  const age = ageOf(request);
  return {
    removed: gone.map((one) => ({
      ...told(one),
      why: whyGone(one, age === undefined ? undefined : nowMs - age * 1000),
    })),
    builds: [...staying]
      .filter(({ what }) => what === 'finished build')
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((one) => ({ ...told(one), why: one.stays ?? one.goes ?? 'within the limits' })),
    freedBytes: sum(gone),
    keptBytes: sum(all) - sum(gone),
  };
}

function whyGone({ what, goes, usedMs }: Holding, usedBeforeMs: number | undefined): string {
  if (goes !== undefined) return goes;
  if (what === 'leftover') return 'left by a program that was killed';
  return usedBeforeMs !== undefined && usedMs < usedBeforeMs ? 'not used for so long' : 'for want of room';
}
