import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fateOf, ownerMark, ownerPattern } from '../host/owner.ts';

/** What is never looked for by its process: that may be another machine's, or of a container that is gone. */
const forgottenMs = 86_400_000;

/** A name for a file on its way to its place; tells whose it is, so that it can be swept when that process is gone. */
export function stagingName(): string {
  return `.${ownerMark()}-${Math.random().toString(36).slice(2)}.partial`;
}

const pattern = new RegExp(`^\\.(${ownerPattern})-\\w+\\.partial$`);

/** Take away the files on their way whose processes are gone. */
export async function sweepStaging(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, owner] = pattern.exec(name) ?? [];
    if (owner === undefined) continue;
    const path = join(folder, name);
    const fate = fateOf(owner);
    const isForgotten = fate === 'unknown' && nowMs - (await changedMs(path)) > forgottenMs;
    if (fate === 'gone' || isForgotten) await rm(path, { force: true });
  }
}

async function changedMs(path: string): Promise<number> {
  return lstat(path).then(
    (found) => found.mtimeMs,
    () => 0,
  );
}
