import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registryProblems } from '../support/registry.ts';
import { buildsInIndex, lookAtArtifacts } from '../support/visible.ts';
import { leftovers } from './leftovers.ts';
import { versionName } from './programs/versions.ts';

/** What goes wrong at the Nth call of these system calls: an error, or the process dies there. */
export type Fault = { readonly calls: string; readonly what: 'error=EIO' | 'error=ENOSPC' | 'signal=KILL' };

export type Enumerated = {
  /** How many times the fault struck: once for each N, until it found nothing more to strike. */
  readonly struck: number;
  readonly problems: readonly string[];
};

const program = new URL('programs/store.ts', import.meta.url).pathname;
const mostCalls = 200;

/** Code that is broken on purpose, and the problem that is to be found with it: no need to look for more. */
type Broken = { readonly twin: string; readonly problem: RegExp };

/** Let each call fail once, from the first to the last, each time in a fresh copy of a store that has version 1. */
export async function strikeEach(fault: Fault, broken?: Broken): Promise<Enumerated> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-steps-'));
  const problems: string[] = [];
  try {
    const base = join(folder, 'base');
    await runProgram([process.execPath, program, base, '1']);
    for (let n = 1; n <= mostCalls; n += 1) {
      const home = join(folder, 'home');
      await cp(base, home, { recursive: true, verbatimSymlinks: true });
      const trace = join(folder, 'trace');
      const fired = await strike({ fault, n, home, trace, twin: broken?.twin }, problems);
      await rm(home, { recursive: true });
      if (!fired) return { struck: n - 1, problems };
      if (problems.some((problem) => broken?.problem.test(problem))) return { struck: n, problems };
    }
    throw new Error(`more than ${mostCalls} calls`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Case = {
  readonly fault: Fault;
  readonly n: number;
  readonly home: string;
  readonly trace: string;
  readonly twin: string | undefined;
};

async function strike({ fault, n, home, trace, twin }: Case, problems: string[]): Promise<boolean> {
  const { calls, what } = fault;
  const inject = ['-e', `trace=${calls}`, '-e', `inject=${calls}:${what}:when=${n}`];
  // Not with `--seccomp-bpf`: strace 6.1 then loses the signal at every call but the first.
  const strace = ['strace', '-f', '-qq', '-y', '-o', trace, ...inject];
  const node = [process.execPath, ...(twin === undefined ? [] : ['--import', twin]), program];
  // Where there is no room for lists that forget builds, these go first: no error comes of it.
  const stay = what === 'error=ENOSPC' ? ['stay'] : [];
  const ended = await runProgram([...strace, ...node, home, '2', ...stay]);
  const lines = (await readFile(trace, 'utf8')).split('\n');
  const at = lines.findIndex((line) => line.includes('(INJECTED)'));
  const fired = what === 'signal=KILL' ? ended.signal === 'SIGKILL' : at !== -1;
  const tell = (problem: string) => problems.push(`${calls} ${what} ${n}: ${problem}`);
  if (!fired) {
    if (ended.code !== 0) tell(`failed by itself: ${ended.stderr}`);
    return false;
  }
  if (ended.code === 0) tell('was not noticed');
  if (what !== 'signal=KILL') lookForRetry(lines, at).forEach(tell);
  await lookAfter(home, ended.stdout, tell);
  return true;
}

/** After a failed fsync the kernel takes the pages for clean: a second one that succeeds says nothing (fsync(2)). */
function lookForRetry(lines: readonly string[], at: number): readonly string[] {
  const [, failed] = /fsync\(\d+<(.*)>\)/.exec(lines[at] ?? '') ?? [];
  if (failed === undefined) return [];
  return lines.slice(at + 1).some((line) => line.includes(`<${failed}>`)) ? [`fsync of ${failed} was tried again`] : [];
}

async function lookAfter(home: string, said: string, tell: (problem: string) => void): Promise<void> {
  const artifacts = join(home, 'artifacts');
  const look = await lookAtArtifacts(artifacts, { all: true });
  look.problems.forEach(tell);
  const visible = look.builds.get('small/x86_64');
  const allowed = said.includes('ACK publish') ? [versionName(2)] : [versionName(1), versionName(2)];
  if (visible === undefined || !allowed.includes(visible)) tell(`${visible} is visible after: ${said}`);
  const again = await runProgram([process.execPath, program, home, '3']);
  if (again.code !== 0) tell(`does not work afterwards: ${again.stderr}`);
  const { builds, problems } = await lookAtArtifacts(artifacts, { all: true });
  problems.forEach(tell);
  const indexed = (await buildsInIndex(artifacts)).get('small/x86_64');
  for (const seen of [builds.get('small/x86_64'), indexed])
    if (seen !== versionName(3)) tell(`then ${seen} is visible`);
  (await registryProblems(home)).forEach(tell);
  for (const path of await leftovers(home)) tell(`left: ${path}`);
}

type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

function runProgram([file = '', ...args]: readonly string[]): Promise<Ended> {
  // One thread for all file work: strace counts calls for each thread by itself.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0', NODE_COMPILE_CACHE: undefined };
  return new Promise((resolve) => {
    const child = execFile(file, args, { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}
