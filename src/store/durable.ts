import { copyFile, link, mkdir, open, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withRoom } from '../core/space.ts';
import { stagingName } from './staging.ts';

/** Have a file's or folder's bytes on the disk itself. An error here means the bytes are not safe: never retried. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Make a folder and have its name on the disk too. */
export async function makeDurableFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true });
  if (made === undefined) return;
  for (let folder = path; folder.length >= made.length; folder = dirname(folder)) await sync(folder);
  await sync(dirname(made));
}

/** Where something gets its name, and a folder on the same file system where it lies until then. */
export type Destination = { readonly path: string; readonly staging: string };

/** A whole file under a name, or nothing: write it elsewhere, fsync, rename, fsync the folder. */
export async function writeDurable(
  { path, staging }: Destination,
  data: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  await withRoom(path, Buffer.byteLength(data), async () => {
    await makeDurableFolder(dirname(path));
    await mkdir(staging, { recursive: true });
    const partial = join(staging, stagingName());
    try {
      await writeFile(partial, data, { mode, flag: 'wx' });
      await sync(partial);
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    await sync(dirname(path));
  });
}

/** Have every file of a flat folder, and the folder, on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await sync(join(folder, name));
  await sync(folder);
}

/** Move a finished folder to its place; both on one file system. False when the place is taken: the first one stays. */
export async function moveFolder(from: string, to: string): Promise<boolean> {
  await makeDurableFolder(dirname(to));
  try {
    await rename(from, to);
  } catch (error) {
    if (isCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
  await sync(dirname(to));
  return true;
}

/** Point a link somewhere else in one step: readers see the old or the new, never neither. */
export async function swapLink({ path, staging }: Destination, target: string): Promise<void> {
  await makeDurableFolder(dirname(path));
  await mkdir(staging, { recursive: true });
  const fresh = join(staging, stagingName());
  await symlink(target, fresh);
  try {
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  await sync(dirname(path));
}

/** Where a link points, or undefined where there is none. */
export async function linkTarget(path: string): Promise<string | undefined> {
  return readlink(path).catch((error: unknown) => {
    if (isCode(error, 'ENOENT', 'EINVAL', 'ENOTDIR')) return undefined;
    throw error;
  });
}

/** The same file under a second name where the file system can, else a copy. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(async (error: unknown) => {
    if (!isCode(error, 'EXDEV', 'EPERM', 'EMLINK')) throw error;
    await copyFile(from, to);
  });
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
