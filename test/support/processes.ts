import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

/** The variable that marks a program of a test and everything it starts. */
const tagName = 'INGOT_FAULT_TAG';

export type Program = {
  readonly pid: number;
  /** Kill this one process, not its group. */
  kill(): void;
  /** Resolves when this stands on its stdout. */
  says(text: string): Promise<void>;
  readonly ended: Promise<Ended>;
};

export type Ended = {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
};

/** Start a program in a process group of its own; it and all that comes of it carry the tag. */
export function startTagged(argv: readonly string[], tag: string, env: NodeJS.ProcessEnv = {}): Program {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, [tagName]: tag },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${file} could not be started`);
  return { pid, kill: () => void child.kill('SIGKILL'), says: (text) => saysOn(child, text), ended: endOf(child) };
}

function saysOn(child: ChildProcess, text: string): Promise<void> {
  let said = '';
  return new Promise((resolve) => {
    child.stdout?.on('data', (bytes: Buffer | string) => {
      said += String(bytes);
      if (said.includes(text)) resolve();
    });
  });
}

/** Ends with the process itself: a child of it that lives on may hold its pipes open. */
function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const end = () => resolve({ code: code ?? undefined, signal: signal ?? undefined, stdout, stderr });
      // What it printed last is still on its way.
      Promise.race([new Promise((done) => child.once('close', done)), setTimeout(200)]).then(end, end);
    });
  });
}

/** The processes that carry a tag: ids with their command lines. */
async function taggedProcesses(tag: string): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (!environment.split('\0').includes(`${tagName}=${tag}`)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    found.set(Number(name), line.replaceAll('\0', ' ').trim());
  }
  return found;
}

/** Resolves when a tagged process whose command line begins so is there, or nobody waits for it any more. */
export async function appears(tag: string, beginning: string, signal: AbortSignal): Promise<void> {
  const isThere = async () => [...(await taggedProcesses(tag)).values()].some((line) => line.startsWith(beginning));
  while (!signal.aborted && !(await isThere())) await setTimeout(50);
}

/** The tagged processes that are still there after so long; none as soon as there is none. */
export async function survivors(tag: string, milliseconds: number): Promise<ReadonlyMap<number, string>> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const left = await taggedProcesses(tag);
    if (left.size === 0 || performance.now() > end) return left;
    await setTimeout(50);
  }
}
