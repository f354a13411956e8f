import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Contender } from './compare.ts';

const everyMs = 20;

/** The most memory that a program and each of those it starts ever had, in MiB, by their names (proc(5), VmHWM). */
export async function peakMemory({ name, argv, env, cwd }: Contender): Promise<ReadonlyMap<string, number>> {
  const [program, ...args] = argv;
  const child = spawn(program, args, { env: { ...process.env, ...env }, cwd, stdio: 'ignore' });
  const peaks = new Map<string, number>();
  const timer = setInterval(() => look(child.pid ?? 0, peaks), everyMs);
  const status = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  if (status !== 0) throw new Error(`${name} ended with ${status}`);
  return peaks;
}

function look(root: number, peaks: Map<string, number>): void {
  const processes = readdirSync('/proc').flatMap((id) => (/^\d+$/.test(id) ? statusOf(Number(id)) : []));
  const family = new Set([root]);
  // Parents have smaller numbers nearly always; one that is missed is found the next time.
  for (const { id, parent, program, kibibytes } of processes) {
    if (family.has(parent)) family.add(id);
    if (family.has(id)) peaks.set(program, Math.max(peaks.get(program) ?? 0, Math.round(kibibytes / 1024)));
  }
}

function statusOf(id: number) {
  try {
    const text = readFileSync(`/proc/${id}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
    const kibibytes = Number.parseInt(field('VmHWM'), 10) || 0;
    return [{ id, parent: Number(field('PPid')), program: field('Name'), kibibytes }];
  } catch {
    return [];
  }
}
