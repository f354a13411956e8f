import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fateOf, ownerMark, ownerPattern } from './owner.ts';

/** See `Host.withTemporary`. */
export async function withTemporary<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), `ingot-${ownerMark()}-`));
  try {
    return await action(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const pattern = new RegExp(`^ingot-(${ownerPattern})-\\w{6}$`);

/** Take away the temporary folders of processes that were killed. */
export async function sweepTemporary(): Promise<void> {
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    const [, owner] = pattern.exec(name) ?? [];
    if (owner === undefined || fateOf(owner) !== 'gone') continue;
    const folder = join(tmpdir(), name);
    // Where everybody may write, somebody else may have put such a name, and change what it stands for.
    const found = await lstat(folder).catch(() => undefined);
    if (found?.isDirectory() === true && found.uid === process.getuid?.())
      await rm(folder, { recursive: true, force: true });
  }
}
