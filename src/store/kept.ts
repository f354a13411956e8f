import { rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { withLock } from '../host/lock.ts';
import { makeDurableFolder, sync } from './durable.ts';
import type { StorePaths } from './paths.ts';

/**
 * The path of a file that `make` writes once for all builds: found again by its key, a word of letters and digits.
 * However many ask at once, one makes it and the others wait.
 */
export async function keptFile(
  paths: Pick<StorePaths, 'kept' | 'locks'>,
  key: string,
  make: (file: string) => Promise<void>,
  ctx: Context,
): Promise<string> {
  const path = join(paths.kept, key);
  const partial = join(paths.kept, `.${key}.partial`);
  return withLock(join(paths.locks, `kept-${key}.lock`), { signal: ctx.signal }, async () => {
    const now = ctx.host.now() / 1000;
    const isThere = await utimes(path, now, now).then(
      () => stat(path).then((found) => found.isFile()),
      () => false,
    );
    if (isThere) return path;
    await makeDurableFolder(paths.kept);
    try {
      await make(partial);
      await sync(partial);
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    await sync(paths.kept);
    return path;
  });
}
