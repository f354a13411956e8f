import { createHash } from 'node:crypto';
import { lstat, mkdir, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { IngotError } from '../core/errors.ts';
import { withRoom } from '../core/space.ts';
import { refreshArtifacts } from './artifacts.ts';
import { linkTarget, makeDurableFolder, swapLink, sync, writeDurable } from './durable.ts';
import type { StorePaths } from './paths.ts';
import { blobOf, blobsFolder, type ForeignFile } from './served-files.ts';
import { publishNames } from './served-names.ts';
import { stagingName } from './staging.ts';

export type FileToPublish = {
  /** Its path in the served tree: `isos/x.iso`. */
  readonly as: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What they must hash to. */
  readonly sha256?: string;
  /** How many there will be, where that is known: what a full disk is told to need. */
  readonly size?: number;
};

/**
 * Put a file into the served tree: under its digest first, then its name, a link, is turned to that in one step. So a
 * reader gets the old bytes or the new ones, and the name itself records the digest of what it stands for.
 */
export async function publishFile(paths: StorePaths, file: FileToPublish, signal: AbortSignal): Promise<ForeignFile> {
  const names = publishNames(file.as);
  const partial = join(paths.work, stagingName());
  try {
    const { bytes, sha256 } = await receive(partial, file, signal);
    await refreshArtifacts(paths, signal, () => nameFile(paths, names, { partial, sha256 }));
    return { path: names.join('/'), bytes, sha256 };
  } finally {
    await rm(partial, { force: true });
  }
}

async function receive(partial: string, { as, bytes, sha256, size }: FileToPublish, signal: AbortSignal) {
  await mkdir(dirname(partial), { recursive: true });
  const hash = createHash('sha256');
  let received = 0;
  await withRoom(
    partial,
    async () => size ?? received,
    async () => {
      const handle = await open(partial, 'wx', 0o644);
      try {
        for await (const chunk of bytes) {
          signal.throwIfAborted();
          hash.update(chunk);
          for (let done = 0; done < chunk.length; ) done += (await handle.write(chunk, done)).bytesWritten;
          received += chunk.length;
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  );
  const found = hash.digest('hex');
  if (sha256 !== undefined && sha256 !== found) {
    throw new IngotError({
      code: 'INPUT_REFUSED',
      message: `${as}: its SHA-256 is ${found}, not ${sha256}`,
      hint: 'nothing was published; get the file again, or the right checksum',
    });
  }
  return { bytes: received, sha256: found };
}

type Received = { readonly partial: string; readonly sha256: string };

async function nameFile(paths: StorePaths, names: readonly string[], { partial, sha256 }: Received): Promise<void> {
  await refuseOccupied(paths, names);
  const path = join(paths.artifacts, ...names);
  const blob = join(blobsFolder(paths), sha256);
  await makeDurableFolder(dirname(blob));
  await rename(partial, blob);
  await sync(dirname(blob));
  const before = blobOf((await linkTarget(path)) ?? '');
  await swapLink({ path, staging: paths.work }, relative(dirname(path), blob));
  await writeDurable({ path: `${path}.sha256`, staging: paths.work }, `${sha256}  ${names.at(-1)}\n`);
  const now = new Date();
  // From now on it has no name, and goes after a while.
  if (before !== undefined && before !== sha256) await utimes(join(dirname(blob), before), now, now).catch(() => {});
}

/** The folders of builds are theirs alone, and a folder or a file that somebody put there by hand stays. */
async function refuseOccupied(paths: StorePaths, names: readonly string[]): Promise<void> {
  for (let depth = 1; depth <= names.length; depth++) {
    const path = join(paths.artifacts, ...names.slice(0, depth));
    const facts = await lstat(path).catch(() => undefined);
    if (facts === undefined) return;
    const isName = depth === names.length;
    const isBuilds = facts.isDirectory() && (await readdir(path)).includes('.builds');
    if (isName ? facts.isSymbolicLink() && blobOf((await linkTarget(path)) ?? '') : facts.isDirectory() && !isBuilds) {
      continue;
    }
    throw new IngotError({
      code: 'USAGE',
      message: `${names.slice(0, depth).join('/')} is there already, and no file that was published`,
      hint: 'choose another name',
    });
  }
}
