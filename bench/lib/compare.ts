import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

export const repository = join(import.meta.dirname, '..', '..');

export type Contender = {
  readonly name: string;
  /** Before each run, not timed. */
  readonly prepare?: () => void;
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Words that its output must not hold: it then did not do what is measured. */
  readonly never?: string;
  /** Called with what it said on stdout. */
  readonly heard?: (stdout: string) => void;
  /** From what it said, the seconds of what is measured, where that is not all of its run. */
  readonly measured?: (stdout: string) => number;
};

/** Run programs in turn, A B C A B C …, so that a machine whose speed drifts is fair to all; wall seconds by name. */
export function inTurn(rounds: number, contenders: readonly Contender[]): ReadonlyMap<string, readonly number[]> {
  const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      contender.prepare?.();
      // What one left for the disk to do is not the next one's to wait for.
      spawnSync('sync');
      const seconds = timed(contender);
      times.get(contender.name)?.push(seconds);
      say(`round ${round}  ${contender.name.padEnd(28)} ${seconds.toFixed(2)} s`);
    }
  }
  return times;
}

/** One run, to its end; its output is shown only when it fails. */
export function timed({ name, argv, env, cwd, never, heard, measured }: Contender): number {
  const [program, ...args] = argv;
  const started = performance.now();
  const result = spawnSync(program, args, {
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const seconds = (performance.now() - started) / 1000;
  const output = `${result.stdout}\n${result.stderr}`;
  const refused = never !== undefined && output.includes(never);
  if (result.status === 0 && !refused) {
    heard?.(result.stdout);
    return measured?.(result.stdout) ?? seconds;
  }
  say(output.split('\n').slice(-30).join('\n'));
  if (refused) throw new Error(`${name} said: ${never}`);
  throw new Error(`${name} ended with ${result.status ?? result.signal ?? result.error?.message}`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

/** The median of the ratios of each round's pair. */
export function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((seconds, round) => seconds / (theirs[round] ?? Number.NaN)));
}

/** A folder for the run, removed at its end. */
export async function withFolder<T>(action: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(process.env['TMPDIR'] ?? tmpdir(), 'ingot-bench-'));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether a peer is on this machine. */
export function present(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function machineLine(): string {
  return `${cpus().length} processors, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`;
}

/** How many rounds: the first argument, default 3. */
export function roundsAsked(): number {
  const asked = Number(process.argv[2] ?? 3);
  if (!Number.isInteger(asked) || asked < 1) throw new Error('usage: bench/NAME [ROUNDS]');
  return asked;
}
