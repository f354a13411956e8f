import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** What a build that is to fail is told to say when its trouble begins. */
export const struck = 'struck';

type Said = { readonly type?: string; readonly line?: string; readonly outcome?: string };

/** Seconds from the moment when a step says `struck` to the moment when its failure is told; `strike`: what then befalls it. */
export async function noticed(
  argv: readonly [string, ...string[]],
  strike: (child: ChildProcess) => void = () => undefined,
): Promise<number> {
  const [program, ...args] = argv;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let [from, to] = [Number.NaN, Number.NaN];
  for await (const text of createInterface({ input: child.stdout })) {
    const said = JSON.parse(text) as Said;
    if (said.type === 'log' && said.line === struck && Number.isNaN(from)) {
      from = performance.now();
      strike(child);
    }
    if (said.type === 'step.end' && said.outcome === 'failed') to = performance.now();
  }
  await ended;
  return (to - from) / 1000;
}

/** End the machine that a build has started. */
export function killMachine(child: ChildProcess): void {
  const machines = readdirSync('/proc').filter((id) => /^\d+$/.test(id) && isMachineOf(id, child.pid));
  if (machines.length !== 1) throw new Error(`the build has ${machines.length} machines`);
  for (const id of machines) process.kill(Number(id), 'SIGKILL');
}

/** By /proc/PID/stat (proc_pid_stat(5)): its name, cut to 15 letters, and its parent. */
function isMachineOf(id: string, parent: number | undefined): boolean {
  try {
    const [, name = '', of] = /\((.*)\) \S (\d+) /.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? [];
    return name.startsWith('qemu-system') && Number(of) === parent;
  } catch {
    return false;
  }
}
