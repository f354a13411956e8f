import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { PasswordHash } from './answers.ts';
import { carried, type Deed, finishScript, readCarried, readFinish } from './finish.ts';

const key = 'ssh-ed25519 AAAA a $(id) \'b\' "c"';
const deeds: readonly Deed[] = [
  { do: 'packages', names: ['vim', 'g++'] },
  { do: 'repository', names: ['jq'] },
  { do: 'password', user: 'root', hash: '*' },
  { do: 'password', user: 'dev', hash: `$6$salt$${'a'.repeat(86)}` as PasswordHash },
  { do: 'keys', user: 'dev', keys: [key, 'ssh-rsa BBBB'] },
  { do: 'sudo', user: 'dev', asks: false },
  { do: 'sudo', user: 'ops', asks: true },
  { do: 'kernel_args', words: ['console=ttyS0,115200', 'a=%n'] },
  { do: 'locale', locale: 'en_US.UTF-8' },
  { do: 'script', name: 'scripts/a b\n$(id).sh', text: '#!/bin/sh\necho \0 é\n' },
];

test('all that can be done is written as a person reviewed it, and reads back', async () => {
  const script = finishScript(deeds);
  await expect(script).toMatchFileSnapshot('golden/finish.sh');
  expect(readFinish(script)).toEqual(deeds);
  expect(readCarried(carried(script))).toEqual(deeds);
});

test('for shells it is a program, also with all of it on one line', () => {
  for (const shell of ['sh', 'bash']) {
    expect(spawnSync(shell, ['-n'], { input: finishScript(deeds) }).status).toBe(0);
    expect(spawnSync(shell, ['-n', '-c', carried(finishScript(deeds))]).status).toBe(0);
  }
  expect(carried(finishScript(deeds))).not.toMatch(/['"\\\n]/);
});

test('nothing to do is no program', () => {
  expect(finishScript([])).toBe('');
  expect(readFinish('')).toEqual([]);
});

test.each<[string, (script: string) => string]>([
  ['a line more', (script) => `${script}reboot\n`],
  ['another function', (script) => script.replace('umask 077', 'umask 000')],
  ['a command beside', (script) => script.replace('locale en', 'locale; id; en')],
  ['text behind', (script) => script.trimEnd()],
  ['an argument more', (script) => script.replace('sudo dev NOPASSWD:ALL', 'sudo dev NOPASSWD:ALL x')],
])('%s is not read', (_, change) => {
  expect(readFinish(change(finishScript(deeds)))).toBeUndefined();
});

test('a script that fails ends the program with its code', () => {
  const script = finishScript([
    { do: 'script', name: 'bad', text: 'exit 7' },
    { do: 'script', name: 'never', text: 'echo never' },
  ]);
  const ran = spawnSync('sh', ['-s'], { input: script, encoding: 'utf8' });
  expect([ran.status, ran.stdout]).toEqual([7, 'ingot: bad\n']);
});
