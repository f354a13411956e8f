import { join } from 'node:path';
import type { GcRequest, GcResult } from '../cli/requests/upkeep.ts';
import type { Host } from '../core/host.ts';
import { withLock } from '../host/lock.ts';
import { refreshArtifacts } from '../store/artifacts.ts';
import { chooseOld, takeAway, takeStock } from '../store/collect.ts';
import type { Holding } from '../store/holding.ts';
import { reap } from '../store/ledger.ts';
import type { StorePaths } from '../store/paths.ts';

/** What is asked for when no limit is. */
const defaultAgeSeconds = 30 * 86_400;

/**
 * Free space under the home: first what killed builds left, then what the limits say, the longest unused first.
 * Current builds, the newest two of each image and whatever a running build uses stay.
 */
export async function collectGarbage(
  paths: StorePaths,
  request: GcRequest,
  host: Pick<Host, 'now'>,
  signal: AbortSignal,
): Promise<GcResult> {
  if (request.dryRun) {
    const all = await takeStock(paths, host.now());
    return resultOf(all, chooseOld(all, limitsOf(request, host.now())), host.now());
  }
  return withLock(join(paths.locks, 'gc.lock'), { signal }, async () => {
    await reap(paths);
    const all = await takeStock(paths, host.now());
    const gone: Holding[] = [];
    for (const one of chooseOld(all, limitsOf(request, host.now()))) {
      signal.throwIfAborted();
      if (await takeAway(paths, one, signal)) gone.push(one);
    }
    // The lists of the served tree know them by digest too.
    if (gone.some(({ what }) => what === 'finished build')) await refreshArtifacts(paths, signal);
    return resultOf(all, gone, host.now());
  });
}

function limitsOf({ olderThanSeconds, keepBytes }: GcRequest, nowMs: number) {
  const age = olderThanSeconds ?? (keepBytes === undefined ? defaultAgeSeconds : undefined);
  return { usedBeforeMs: age === undefined ? undefined : nowMs - age * 1000, keepBytes };
}

function resultOf(all: readonly Holding[], gone: readonly Holding[], nowMs: number): GcResult {
  const sum = (list: readonly Holding[]) => list.reduce((bytes, one) => bytes + one.bytes, 0);
  return {
    removed: gone.map(({ what, name, bytes, usedMs }) => ({
      what,
      name,
      bytes,
      unusedSeconds: Math.max(0, (nowMs - usedMs) / 1000),
    })),
    freedBytes: sum(gone),
    keptBytes: sum(all) - sum(gone),
  };
}
