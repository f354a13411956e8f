import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';

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
  await mkdir(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: 0 });
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
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    return !taken(database);
  } finally {
    database.close();
  }
}

function taken(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) return false;
    throw error;
  }
}
