import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Part of the names of what must not outlive its process: says whose it is. Matches `ownerPattern`. */
export function ownerMark(): string {
  return [processSpace(), process.pid, birthOf(process.pid)].join('-');
}

export const ownerPattern = '\\w*-\\d+-\\w*';

/** What became of the process behind a mark; another machine's, or another container's, cannot be asked for. */
export function fateOf(mark: string): 'alive' | 'gone' | 'unknown' {
  const [space, pid, birth] = mark.split('-');
  if (space !== processSpace()) return 'unknown';
  return isAlive(Number(pid), birth) ? 'alive' : 'gone';
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
