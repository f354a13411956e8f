import { expect, test } from 'vitest';
import type { EventBody } from '../../core/events.ts';
import type { Command, RunOptions } from '../../core/host.ts';
import type { StepContext, Work } from '../../core/kinds.ts';
import { eventOf, exec } from './exec.ts';

const login = { ssh: '/scratch/ssh', host: 'image', port: 22, user: 'root', sudo: false, options: ['-F', 'none'] };

type Program = { readonly says?: readonly string[]; readonly exitCode?: number; readonly stderr?: string };

/** Run the step with a program that says these lines; gives what it was run with and what was told. */
async function ran(written: unknown, { says = [], exitCode = 0, stderr = '' }: Program = {}, mode = 0o755) {
  const events: EventBody[] = [];
  const calls: { command: Command; options: RunOptions }[] = [];
  const work = {
    bench: 'tree',
    arch: 'x86_64',
    login,
    read: async () => 'ID=debian\nVERSION_ID="13"\n',
    beside: async (command: Command, options: RunOptions) => {
      calls.push({ command, options });
      for (const line of says) options.onAnswer?.(line);
      return { exitCode, stdout: '', stderr };
    },
  };
  const files = {
    realPath: async (path: string) => (path.includes('missing') ? Promise.reject(new Error('ENOENT')) : path),
    stat: async () => ({ kind: 'file', size: 1, mode }),
  };
  const env = { HOME: '/home/me', INGOT_SECRET_TOKEN: 'hunter2' };
  const ctx = {
    host: { files, env },
    step: '1-exec',
    emit: (event: EventBody) => events.push(event),
    projectFile: (path: string) => (path === '.' ? '/project' : `/project/${path}`),
  };
  await exec.run(exec.options.parse(written), work as unknown as Work, ctx as unknown as StepContext);
  const [call] = calls;
  if (call === undefined) throw new Error('nothing was run');
  return { events, ...call };
}

test('the program is told options, image and login on stdin, and no secret but through its options', async () => {
  const { command, options } = await ran({ program: 'steps/a.py', args: ['-v'], options: { token: 't' } });
  expect(command).toMatchObject({ argv: ['/project/steps/a.py', '-v'], cwd: '/project' });
  expect(command.env).toEqual({ INGOT_SECRET_TOKEN: undefined });
  expect(JSON.parse(options.stdin as string)).toEqual({
    version: 1,
    options: { token: 't' },
    image: { arch: 'x86_64', bench: 'tree', system: { ID: 'debian', VERSION_ID: '13' } },
    login,
  });
});

test('what it tells becomes events of the step, harmless to a terminal', async () => {
  const { events } = await ran('steps/a.py', {
    says: [
      '{"type":"log","line":"one\\n\\u001b[31mtwo"}',
      '{"type":"progress","done":1,"total":3}',
      '{"type":"progress","done":5,"unit":"bytes"}',
      '{"type":"warning","message":"old","hint":"renew"}',
    ],
  });
  expect(events).toEqual([
    { type: 'log', id: '1-exec', line: 'one' },
    { type: 'log', id: '1-exec', line: 'two' },
    { type: 'progress', id: '1-exec', done: 1, total: 3, unit: 'items' },
    { type: 'progress', id: '1-exec', done: 5, unit: 'bytes' },
    { type: 'warning', message: 'old', hint: 'renew' },
  ]);
});

test.each<[string, Program, object]>([
  [
    'an exit code',
    { exitCode: 3, stderr: 'a\nb\n' },
    { message: 'steps/a.py ended with exit code 3', detail: ['a', 'b'] },
  ],
  [
    'its own words',
    { exitCode: 1, says: ['{"type":"fail","message":"no disk","hint":"add one","detail":["x\\ny"]}'] },
    { message: 'steps/a.py: no disk', hint: 'add one', detail: ['x', 'y'] },
  ],
  [
    'its own words, whatever the exit code',
    { says: ['{"type":"fail","message":"no disk"}'] },
    { message: 'steps/a.py: no disk' },
  ],
  [
    'a line that is no event',
    { says: ['hello'] },
    { message: 'steps/a.py wrote a line that is no event', detail: ['hello'] },
  ],
])('it fails with %s', async (_, program, expected) => {
  await expect(ran('steps/a.py', program)).rejects.toMatchObject({ code: 'STEP_FAILED', ...expected });
});

test('a program that is not there, or cannot be run, is named with what to do', async () => {
  await expect(ran('steps/missing.py')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(ran('steps/a.py', {}, 0o644)).rejects.toMatchObject({ hint: 'chmod +x steps/a.py' });
});

test.each(['', 'text', '[]', '{}', '{"type":"end"}', '{"type":"log"}', '{"type":"progress","done":-1}'])(
  '%j is no event',
  (line) => {
    expect(eventOf(line)).toBeUndefined();
  },
);

test('the program and what it reads count, and secrets may stand in its options only', () => {
  const written = exec.options.parse({ program: 'steps/a.py', files: ['data'] });
  expect(exec.files?.(written)).toEqual(['steps/a.py', 'data']);
  expect(exec.secretsIn?.every(([first]) => first === 'options')).toBe(true);
  expect(exec.title(written)).toBe('run steps/a.py on the build machine');
});

test.each([['/usr/bin/env'], ['../a'], [{ args: [] }], [{ program: 'a', env: {} }], ['']])(
  '%j is refused',
  (written) => {
    expect(exec.options.safeParse(written).success).toBe(false);
  },
);
