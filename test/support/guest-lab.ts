import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { ErrorRecord, IngotEvent } from '../../src/core/events.ts';

const repository = join(import.meta.dirname, '..', '..');

/** A project and a home of its own, in which the program is run as a person runs it. */
export type GuestLab = {
  readonly folder: string;
  readonly project: string;
  readonly home: string;
  /** Write a file of the project; `mode` as in chmod. */
  write(path: string, text: string | Uint8Array, mode?: number): Promise<void>;
  /** `ingot build --json` with these words. */
  build(words: readonly string[], options?: BuildOptions): Promise<Built>;
  /** Another command with `--json`. */
  run(words: readonly string[], options?: BuildOptions): Promise<Built>;
  /** Ids of processes that name something of the home in their argument list; of programs whose path has this in it. */
  processes(program?: string): Promise<readonly number[]>;
  close(): Promise<void>;
};

export type BuildOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** `end` stops the program as Ctrl-C does. */
  readonly onEvent?: (event: IngotEvent, end: () => void) => void;
};

export type Built = {
  readonly code: number;
  readonly stderr: string;
  readonly events: readonly IngotEvent[];
};

/** A lab whose project begins as one of the examples. */
export async function openGuestLab(example: string): Promise<GuestLab> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-guest-'));
  const [project, home] = [join(folder, 'project'), join(folder, 'home')];
  await cp(join(repository, 'examples', example), project, { recursive: true });
  const start: GuestLab['run'] = (words, options = {}) => {
    const argv = [...words, '--json'];
    const env = { ...process.env, INGOT_HOME: home, NO_COLOR: '1', ...options.env };
    return run(argv, { cwd: project, env, onEvent: options.onEvent ?? (() => undefined) });
  };
  const build: GuestLab['build'] = (words, options) => start(['build', ...words], options);
  const write: GuestLab['write'] = async (path, text, mode = 0o644) => {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text, { mode });
  };
  const close = () => rm(folder, { recursive: true });
  return {
    folder,
    project,
    home,
    write,
    build,
    run: start,
    processes: (program = '') => processesOf(program, home),
    close,
  };
}

type Setting = {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onEvent: (event: IngotEvent, end: () => void) => void;
};

function run(argv: readonly string[], { cwd, env, onEvent }: Setting): Promise<Built> {
  const child = spawn(join(repository, 'ingot'), argv, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const events: IngotEvent[] = [];
  let [rest, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const value = JSON.parse(line) as IngotEvent;
      if (!('seq' in value)) continue;
      events.push(value);
      onEvent(value, () => child.kill('SIGINT'));
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stderr, events }));
  });
}

async function processesOf(program: string, home: string): Promise<readonly number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = ids.map(async (id) => [id, await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')] as const);
  const found = (await Promise.all(lines)).filter(
    ([, line]) => line.split('\0')[0]?.includes(program) === true && line.includes(home),
  );
  return found.map(([id]) => Number(id));
}

/** The events of one image's build. */
export function eventsOf({ events }: Built, image: string): readonly IngotEvent[] {
  const start = events.find((event) => event.type === 'build.start' && event.image === image);
  return events.filter(({ build }) => build === start?.build);
}

/** How each step of an image ended: `1-shell done`. */
export function endsOf(built: Built, image: string): readonly string[] {
  return eventsOf(built, image).flatMap((event) => (event.type === 'step.end' ? [`${event.id} ${event.outcome}`] : []));
}

/** The lines of an image's log. */
export function logOf(built: Built, image: string): readonly string[] {
  return eventsOf(built, image).flatMap((event) => (event.type === 'log' ? [event.line] : []));
}

/** Whether a kernel began to boot. */
export function hasBooted(built: Built, image: string): boolean {
  return logOf(built, image).some((line) => /\] Linux version \d/.test(line));
}

/** The path of a finished image. */
export function pathOf(built: Built, image: string): string {
  const end = eventsOf(built, image).find((event) => event.type === 'build.end');
  const failed = end?.error === undefined ? '' : JSON.stringify(end.error, null, 1);
  expect(`${image} ${end?.outcome} ${failed}${built.code === 0 ? '' : built.stderr}`).toMatch(/ (done|cached) $/);
  return end?.path ?? '';
}

/** Why a build failed; its message, hint and detail as lines too. */
export function failureOf(built: Built, image: string): ErrorRecord & { readonly text: string } {
  const end = eventsOf(built, image).find((event) => event.type === 'build.end');
  if (end?.error === undefined) throw new Error(`${image} did not fail: ${end?.outcome} ${built.stderr}`);
  const { message, hint, detail = [] } = end.error;
  return { ...end.error, text: [message, hint ?? '', ...detail].join('\n') };
}
