import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { withRoom } from '../core/space.ts';

const pollMs = 50;

/** A lock whose holder waits for something that nothing refers to would be collected, and free. */
const held = new Set<DatabaseSync>();

export type LockOptions = {
  readonly signal: AbortSignal;
  /** Called once when another process holds the lock. */
  readonly onWait?: () => void;
};

/**
 * Do something while no other process or task holds the same lock. It is a kernel lock on an SQLite file, so it is
 * free the moment its holder dies, however it dies; nobody waits for a stale file.
 */
export async function withLock<T>(path: string, options: LockOptions, action: () => Promise<T>): Promise<T> {
  const database = await withRoom(path, 0, async () => {
    await mkdir(dirname(path), { recursive: true });
    refuseReaders(path);
    return open(path);
  });
  try {
    let told = false;
    while (!taken(database)) {
      if (!told) options.onWait?.();
      told = true;
      options.signal.throwIfAborted();
      await setTimeout(pollMs);
    }
    held.add(database);
    return await action();
  } finally {
    held.delete(database);
    database.close();
  }
}

/** Whether somebody holds the lock now; only a hint, it may be gone at once. */
export function isLocked(path: string): boolean {
  const database = open(path);
  try {
    return !taken(database);
  } finally {
    database.close();
  }
}

/** SQLite says of a full disk only that it cannot open the file (SQLITE_CANTOPEN). */
function open(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    const { bavail, ffree, files } = statfsSync(dirname(path));
    const isFull = bavail === 0 || (files > 0 && ffree === 0);
    throw isFull ? Object.assign(new Error('no space left', { cause: error }), { code: 'ENOSPC' }) : error;
  }
}

/** Who may only read such a file would get a lock from SQLite that keeps nobody out. */
function refuseReaders(path: string): void {
  accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
}

function taken(database: DatabaseSync): boolean {
  try {
    // Nothing is ever written: without a journal on the disk a lock can be taken where that is full.
    database.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) return false;
    throw error;
  }
}
