import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** What is never looked for by its process: that may be another machine's, or of a container that is gone. */
const forgottenMs = 86_400_000;

/** A name for a file on its way to its place; tells whose it is, so that it can be swept when that process is gone. */
export function stagingName(): string {
  const owner = [processSpace(), process.pid, birthOf(process.pid)].join('-');
  return `.${owner}-${Math.random().toString(36).slice(2)}.partial`;
}

/** Take away the files on their way whose processes are gone. */
export async function sweepStaging(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, space, pid, birth] = /^\.(\w*)-(\d+)-(\w*)-\w+\.partial$/.exec(name) ?? [];
    if (pid === undefined) continue;
    const path = join(folder, name);
    const isOurs = space === processSpace();
    const isOrphan = isOurs ? !isAlive(Number(pid), birth) : nowMs - (await changedMs(path)) > forgottenMs;
    if (isOrphan) await rm(path, { force: true });
  }
}

/** Process ids mean something only within one of these: a machine's, or a container's. */
function processSpace(): string {
  const machine = textOf('/etc/machine-id') ?? hostname();
  try {
    return digest(machine + readlinkSync('/proc/self/ns/pid'));
  } catch {
    return digest(machine);
  }
}

/**
 * Tells a process from others that had its id before it, in this uptime (proc_pid_stat(5), `starttime`) and in earlier
 * ones; undefined where that cannot be known.
 */
function birthOf(pid: number): string | undefined {
  const status = textOf(`/proc/${pid}/stat`);
  // The name before it, in brackets, may hold anything.
  const started = status?.slice(status.lastIndexOf(')')).split(' ')[20];
  return started === undefined ? undefined : digest(textOf('/proc/sys/kernel/random/boot_id') + started);
}

function isAlive(pid: number, birth: string | undefined): boolean {
  const known = birthOf(pid);
  if (known !== undefined) return known === birth;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

async function changedMs(path: string): Promise<number> {
  return lstat(path).then(
    (found) => found.mtimeMs,
    () => 0,
  );
}
