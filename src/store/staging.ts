import { readlinkSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What is never looked for by its process: that may be another machine's, or of a container that is gone. */
const forgottenMs = 86_400_000;

/** A name for a file on its way to its place; tells whose it is, so that it can be swept when that process was killed. */
export function stagingName(): string {
  return `.${processSpace()}-${process.pid}-${Math.random().toString(36).slice(2)}.partial`;
}

/** Take away the files on their way whose processes are gone. */
export async function sweepStaging(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, space, pid] = /^\.([^-]*)-(\d+)-\w+\.partial$/.exec(name) ?? [];
    if (pid === undefined) continue;
    const path = join(folder, name);
    const isOrphan = space === processSpace() ? !isAlive(Number(pid)) : nowMs - (await changedMs(path)) > forgottenMs;
    if (isOrphan) await rm(path, { force: true });
  }
}

/** Process ids mean something only within one of these. */
function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

async function changedMs(path: string): Promise<number> {
  return lstat(path).then(
    (found) => found.mtimeMs,
    () => 0,
  );
}
