import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run, start, which } from './process.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-process-'));
});
afterEach(() => rm(folder, { recursive: true }));

const soon = { timeout: 10_000 };

const sh = (text: string, ...args: readonly string[]) => ({ argv: ['sh', '-c', text, 'sh', ...args] as const });
const failureOf = (running: Promise<unknown>) =>
  running.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

/** Programs that sleep so many seconds: an odd number marks those of one test. */
async function sleeping(seconds: string): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => /^(\/.*\/)?sleep\0/.test(line) && line.endsWith(`\0${seconds}\0`));
}

test('both streams and the exit code come back', async () => {
  const result = await run(sh('echo out; echo err >&2; exit 3'), { ok: [0, 3] });
  expect(result).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
});

test('lines of an answer go to who asked for them and stay out of the log and of errors', async () => {
  const [answers, lines]: [string[], string[]] = [[], []];
  const options = { onAnswer: (line: string) => answers.push(line), onLine: (line: string) => lines.push(line) };
  const error = await failureOf(run(sh('echo "{1}"; echo said >&2; printf "{2}"; exit 1'), options));
  expect(answers).toEqual(['{1}', '{2}']);
  expect(lines).toEqual(['said']);
  expect(error).toMatchObject({ code: 'TOOL_FAILED', detail: ['said'] });
});

test('arguments are passed literally', async () => {
  const words = ['$HOME', 'a b', `it's`, '', '-n', '\n;id'];
  expect((await run(sh('printf "%s\\0" "$@"', ...words))).stdout.split('\0').slice(0, -1)).toEqual(words);
});

test('a failure has the exit code and the last 20 lines of both streams', async () => {
  const error = await failureOf(run(sh('seq 1 30; sleep 0.1; echo bad >&2; exit 4')));
  expect(error).toMatchObject({ code: 'TOOL_FAILED', message: 'sh ended with exit code 4' });
  const { detail } = error as { detail: readonly string[] };
  expect(detail).toHaveLength(20);
  expect(detail.slice(-2)).toEqual(['30', 'bad']);
});

test('a command is called by its name in errors', async () => {
  expect(await failureOf(run({ ...sh('exit 1'), name: 'packing' }))).toMatchObject({
    message: 'packing ended with exit code 1',
  });
});

test.each([
  ['KILL', 'sh was killed (SIGKILL), likely for want of memory'],
  ['TERM', 'sh was ended by SIGTERM'],
])('a program that a signal %s ended is told so', async (signal, message) => {
  expect(await failureOf(run(sh(`kill -${signal} $$`)))).toMatchObject({ code: 'TOOL_FAILED', message });
});

test.each(['no-such-program-here', '/no/such/program'])(
  'a program that is not there is TOOL_MISSING: %s',
  async (program) => {
    const expected = { code: 'TOOL_MISSING', message: `the program ${program} is not on this machine` };
    expect(await failureOf(run({ argv: [program] }))).toMatchObject(expected);
    expect(await failureOf(start({ argv: [program] }))).toMatchObject(expected);
  },
);

test('a folder to run in that is not there is named', async () => {
  const error = await failureOf(run({ argv: ['true'], cwd: join(folder, 'none') }));
  expect(error).toMatchObject({ code: 'TOOL_FAILED', message: expect.stringContaining(join(folder, 'none')) });
});

test('programs are found in /usr/sbin too, and by absolute paths', async () => {
  expect(await which('sh')).toMatch(/^\/.*\/sh$/);
  expect(await which('/bin/sh')).toBe('/bin/sh');
  expect(await which('/etc/passwd')).toBeUndefined();
  expect(await which('no-such-program-here')).toBeUndefined();
});

test('every program speaks one language in one time zone; the rest of the environment is ours and what is added', async () => {
  const script = 'echo "$LC_ALL,$TZ,${LANGUAGE-none},${HOME:+home},$A,${B-none}"';
  const { stdout } = await run({ ...sh(script), env: { A: 'a', B: undefined } });
  expect(stdout).toBe('C.UTF-8,UTC,none,home,a,none\n');
});

test('lines are told as they come, escapes made harmless', async () => {
  const lines: string[] = [];
  await run(sh(`printf 'a\\033[31mb\\nc'`), { onLine: (line) => lines.push(line) });
  expect(lines).toEqual(['ab', 'c']);
});

test('of a great output the last bytes are kept', async () => {
  const { stdout } = await run(sh('head -c 3000000 /dev/zero; echo end'), { keepBytes: 1_000_000 });
  expect(stdout.length).toBeLessThan(1_200_000);
  expect(stdout.endsWith('end\n')).toBe(true);
});

test('stdout goes to a file that only we may read', async () => {
  const file = join(folder, 'out');
  const result = await run(sh('echo secret; echo seen >&2'), { stdoutFile: file });
  expect(result).toMatchObject({ stdout: '', stderr: 'seen\n' });
  expect(await readFile(file, 'utf8')).toBe('secret\n');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('stdin is empty, a text or a stream', async () => {
  expect((await run({ argv: ['cat'] })).stdout).toBe('');
  expect((await run({ argv: ['cat'] }, { stdin: 'text' })).stdout).toBe('text');
  const stream = async function* () {
    for (let i = 0; i < 64; i++) yield Buffer.alloc(65_536, i);
  };
  expect((await run({ argv: ['wc', '-c'] }, { stdin: stream() })).stdout.trim()).toBe(String(64 * 65_536));
});

test('a stream that breaks is a failure, however content the program was', async () => {
  const stream = async function* () {
    yield Buffer.from('half');
    throw new Error('the file went away');
  };
  await expect(run({ argv: ['cat'] }, { stdin: stream() })).rejects.toThrow('the file went away');
});

test('a program that does not read all of its stdin is no failure', async () => {
  expect((await run({ argv: ['true'] }, { stdin: 'x'.repeat(1_000_000) })).exitCode).toBe(0);
});

test('a program that takes too long is ended', async () => {
  const error = await failureOf(run(sh('echo begun; sleep 1861'), { timeoutMs: 300 }));
  expect(error).toMatchObject({ code: 'TIMEOUT', detail: ['begun'] });
  await expect.poll(() => sleeping('1861'), soon).toEqual([]);
});

test('stopping ends all that the program started and fails with the reason', async () => {
  const stop = new AbortController();
  const onLine = () => stop.abort(new Error('stopped by hand'));
  const running = run(sh('sleep 1862 & sh -c "sleep 1862 & echo begun; wait"'), { signal: stop.signal, onLine });
  await expect(running).rejects.toThrow('stopped by hand');
  await expect.poll(() => sleeping('1862'), soon).toEqual([]);
  await expect(run(sh('exit 0'), { signal: stop.signal })).rejects.toThrow('stopped by hand');
});

test('an output file that is full is a failure, however content the program was', async () => {
  const error = await failureOf(run(sh('echo half'), { stdoutFile: '/dev/full' }));
  expect(error).toMatchObject({ code: 'NO_SPACE' });
});

test('a full disk is told from other failures', async () => {
  expect(await failureOf(run(sh('echo "tar: x: No space left on device" >&2; exit 2')))).toMatchObject({
    code: 'NO_SPACE',
    message: 'no space left on this machine while sh was writing',
  });
});

test('a program that lives on is talked to by lines and tells how it ended', async () => {
  const lines: string[] = [];
  const child = await start(sh('while read -r line; do echo "got $line"; done; exit 7'), {
    onLine: (line) => lines.push(line),
  });
  child.write('one\n');
  await expect.poll(() => lines, soon).toEqual(['got one']);
  child.closeStdin();
  expect(await child.exited).toEqual({ exitCode: 7, signal: undefined });
  expect(child.lastLines()).toEqual(['got one']);
  child.write('too late\n');
});

test('a killed program tells the signal', async () => {
  const child = await start(sh('echo up; sleep 1863'));
  await expect.poll(() => child.lastLines(), soon).toEqual(['up']);
  child.kill('SIGTERM');
  expect(await child.exited).toMatchObject({ signal: 'SIGTERM' });
  await expect.poll(() => sleeping('1863'), soon).toEqual([]);
});

test('what we started dies with us even when we are killed', async () => {
  const module = join(import.meta.dirname, 'process.ts');
  const text = `import { run, start } from ${JSON.stringify(module)};
void run({ argv: ['sleep', '1864'] });
const child = await start({ argv: ['sleep', '1864'] });
console.log(child.pid);
setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const _ of createInterface({ input: parent.stdout })) break;
  await expect.poll(() => sleeping('1864'), soon).toHaveLength(2);
  parent.kill('SIGKILL');
  await expect.poll(() => sleeping('1864'), soon).toEqual([]);
});
