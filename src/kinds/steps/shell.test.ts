import { expect, test } from 'vitest';
import type { StepContext, Work } from '../../core/kinds.ts';
import type { Script } from '../../core/script.ts';
import { interpreterOf, shell, shellScript } from './shell.ts';

test.each([['scripts/base.sh'], ['./base'], ['base.sh'], ['setup.py'], ['scripts/a-b_c@1+2.sh']])(
  'the bare string %s is a file',
  (text) => {
    expect(shell.options.parse(text)).toEqual({ file: text, args: [], env: {} });
  },
);

test.each([
  ['whoami'],
  ['touch /etc/x'],
  ['scripts/base.sh --fast'],
  ['/usr/sbin/update-ca-certificates'],
  ['cat</etc/passwd'],
  ['A=1/2'],
  ['scripts/base.sh\n'],
  ['echo a\necho b\n'],
])('the bare string %j is a script', (text) => {
  expect(shell.options.parse(text)).toEqual({ run: text, args: [], env: {} });
});

test.each([
  ['../outside.sh'],
  ['scripts/../../outside.sh'],
  [{ file: '/etc/passwd' }],
  [{ file: 'a.sh', run: 'echo' }],
  [{}],
  [''],
  [' \n'],
  [{ run: '' }],
  [{ run: 'echo', env: { 'A B': 'x' } }],
  [{ run: 'echo', env: { A: 1 } }],
  [{ run: 'echo', arg: ['x'] }],
])('%j is refused', (written) => {
  expect(shell.options.safeParse(written).success).toBe(false);
});

test.each([
  ['echo a', ['/bin/sh', '-eu']],
  ['', ['/bin/sh', '-eu']],
  ['\n#!/bin/bash', ['/bin/sh', '-eu']],
  ['#!/bin/bash\necho', ['/bin/bash']],
  ['#! /usr/bin/env  python3\n', ['/usr/bin/env', 'python3']],
  ['#!/usr/bin/env -S python3 -u\n', ['/usr/bin/env', '-S python3 -u']],
  ['#!/bin/sh -eux', ['/bin/sh', '-eux']],
])('%j is run by %j', (text, interpreter) => {
  expect(interpreterOf(text)).toEqual(interpreter);
});

test('arguments and environment stay apart from the text', () => {
  const script = shellScript('echo', { args: ["it's", '$x', '\n'], env: { A: '`b`' } });
  expect(script).toEqual({
    text: 'echo',
    interpreter: ['/bin/sh', '-eu'],
    args: ["it's", '$x', '\n'],
    env: { A: '`b`' },
  });
});

test.each([
  ['scripts/a.sh', 'run scripts/a.sh'],
  ['# why\n\n  echo a\necho b', 'run echo a'],
  [`echo ${'x'.repeat(100)}`, `run echo ${'x'.repeat(52)}...`],
])('the title of %j names what runs', (written, title) => {
  expect(shell.title(shell.options.parse(written))).toBe(title);
});

async function ran(written: unknown, texts: Readonly<Record<string, string>>): Promise<Script | undefined> {
  let script: Script | undefined;
  const exec = async (one: Script) => {
    script = one;
  };
  const readText = (path: string) => Promise.resolve(texts[path]);
  const ctx = { host: { files: { readText } }, projectFile: (path: string) => `/project/${path}` };
  await shell.run(shell.options.parse(written), { exec } as unknown as Work, ctx as unknown as StepContext);
  return script;
}

test('a file of the project is run with the program it names', async () => {
  const texts = { '/project/a.sh': '#!/bin/bash\necho' };
  expect(await ran({ file: 'a.sh', args: ['x'] }, texts)).toEqual({
    name: 'a.sh',
    text: '#!/bin/bash\necho',
    interpreter: ['/bin/bash'],
    args: ['x'],
    env: {},
  });
  expect(shell.files?.(shell.options.parse('a.sh'))).toEqual(['a.sh']);
  expect(shell.files?.(shell.options.parse('echo'))).toEqual([]);
});

test('a missing script and one with Windows line ends are said to be so', async () => {
  await expect(ran('a.sh', {})).rejects.toThrow('there is no script a.sh');
  await expect(ran('a.sh', { '/project/a.sh': '#!/bin/sh\r\necho\r\n' })).rejects.toThrow('Windows line ends');
});
