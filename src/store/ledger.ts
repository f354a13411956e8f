import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { withRoom } from '../core/space.ts';
import { isLocked, withLock } from '../host/lock.ts';
import { sweepTemporary } from '../host/temporary.ts';
import type { StorePaths } from './paths.ts';
import { sweepStaging } from './staging.ts';

/** Something that a build makes and that must not outlive it. */
export type LedgerEntry = { readonly folder: string };

export type Ledger = {
  /** Write down what is about to be made, before it is made. */
  record(entry: LedgerEntry): Promise<void>;
};

const ledgerFile = 'ledger.jsonl';
const lockFile = 'ledger.lock';

/**
 * Do a build's work with a ledger that is written ahead. While it lasts, a kernel lock marks it as alive; at its end,
 * or when the next start finds the lock free, everything it recorded is taken away.
 */
export async function withLedger<T>(
  paths: StorePaths,
  build: string,
  signal: AbortSignal,
  action: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  const folder = join(paths.builds, build);
  const open = Promise.withResolvers<void>();
  const work = async () => {
    open.resolve();
    const record = (entry: LedgerEntry) =>
      withRoom(folder, 0, () => appendFile(join(folder, ledgerFile), `${JSON.stringify(entry)}\n`, { flush: true }));
    try {
      return await action({ record });
    } finally {
      await settle(folder);
    }
  };
  // Within the common lock, so that nobody takes the lock's file for a dead one before it is locked.
  const { working } = await withLock(commonLock(paths), { signal }, async () => {
    await withRoom(folder, 0, () => mkdir(folder, { recursive: true }));
    const working = withLock(join(folder, lockFile), { signal }, work);
    await Promise.race([open.promise, working]);
    return { working };
  });
  return working;
}

/** Take away what builds and other programs that were killed left behind; says how many builds there were. */
export async function reap(paths: StorePaths): Promise<number> {
  await sweepTemporary();
  await sweepStaging(paths.work, Date.now());
  const found: string[] = [];
  for (const build of await readdir(paths.builds).catch(() => [])) {
    const folder = join(paths.builds, build);
    const names: readonly string[] = await readdir(folder).catch(() => []);
    if (names.includes(ledgerFile) || names.includes(lockFile)) found.push(folder);
  }
  if (found.length === 0) return 0;
  const { signal } = new AbortController();
  return withLock(commonLock(paths), { signal }, async () => {
    const dead = found.filter((folder) => !isAlive(folder));
    for (const folder of dead) await settle(folder);
    return dead.length;
  });
}

function isAlive(folder: string): boolean {
  const lock = join(folder, lockFile);
  return existsSync(lock) && isLocked(lock);
}

function commonLock(paths: StorePaths): string {
  return join(paths.locks, 'ledgers.lock');
}

export type RunningBuild = { readonly build: string; readonly sinceMs: number };

/** The builds that are at work now, in whatever process. */
export async function runningBuilds(paths: StorePaths): Promise<readonly RunningBuild[]> {
  const builds = await readdir(paths.builds).catch(() => []);
  const found = builds.map(async (build): Promise<readonly RunningBuild[]> => {
    const lock = join(paths.builds, build, lockFile);
    const made = await stat(lock).catch(() => undefined);
    // Nothing is ever written to the lock: its time is that of the start.
    return made !== undefined && isLocked(lock) ? [{ build, sinceMs: made.mtimeMs }] : [];
  });
  return (await Promise.all(found)).flat();
}

/** Between a build's first look at something and its being marked as running. */
const graceMs = 60_000;

/** What was used since this moment may be in use. */
export async function busySince(paths: StorePaths, nowMs: number): Promise<number> {
  const running = await runningBuilds(paths);
  return Math.min(nowMs, ...running.map(({ sinceMs }) => sinceMs)) - graceMs;
}

async function settle(folder: string): Promise<void> {
  const text = await readFile(join(folder, ledgerFile), 'utf8').catch(() => '');
  for (const line of text.split('\n')) {
    const entry = parseEntry(line);
    if (entry !== undefined) await rm(entry.folder, { recursive: true, force: true });
  }
  // SQLite's journal stays behind when its process is killed.
  for (const name of [ledgerFile, `${lockFile}-journal`, lockFile]) await rm(join(folder, name), { force: true });
}

/** A line of a ledger; a last line that a power cut left half is nothing: what it announced was never made. */
function parseEntry(line: string): LedgerEntry | undefined {
  try {
    const entry = JSON.parse(line) as LedgerEntry;
    return typeof entry.folder === 'string' ? entry : undefined;
  } catch {
    return undefined;
  }
}
