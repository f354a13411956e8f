import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { fakeContext } from '../../test/support/fake-guest.ts';
import type { Command, RunOptions } from '../core/host.ts';
import { answersSchema } from './answers.ts';
import { asPasswordHash, hashAnswers } from './password.ts';

type Call = { readonly command: Command; readonly stdin: unknown };

/** A host that runs the real openssl, and remembers what it was asked. */
function askOpenssl(calls: Call[]) {
  return fakeContext({
    run: async (command: Command, options: RunOptions = {}) => {
      calls.push({ command, stdin: options.stdin });
      const [program, ...args] = command.argv;
      const stdout = execFileSync(program, args, {
        input: typeof options.stdin === 'string' ? options.stdin : '',
        encoding: 'utf8',
      });
      return { exitCode: 0, stdout, stderr: '' };
    },
  });
}

const answers = answersSchema.parse({
  hostname: 'dev',
  user: { name: 'me', password: 'pässwörd $(id)' },
  root: { password: '-in /etc/passwd' },
});

test('passwords become sha512-crypt hashes that their text opens, and are on no command line', async () => {
  const calls: Call[] = [];
  const { user, root } = await hashAnswers(answers, { image: 'dev' }, askOpenssl(calls));
  for (const [hash, text] of [
    [user?.password, 'pässwörd $(id)'],
    [root?.password, '-in /etc/passwd'],
  ] as const) {
    const salt = hash?.split('$')[2] ?? '';
    const again = execFileSync('openssl', ['passwd', '-6', '-salt', salt, '-stdin'], { input: text, encoding: 'utf8' });
    expect(again.trim()).toBe(hash);
  }
  expect(JSON.stringify(calls.map(({ command }) => command))).not.toMatch(/pässwörd|etc\/passwd/);
});

test('equal inputs give equal hashes; another image or user another salt', async () => {
  const one = await hashAnswers(answers, { image: 'dev' }, askOpenssl([]));
  expect(await hashAnswers(answers, { image: 'dev' }, askOpenssl([]))).toEqual(one);
  const same = answersSchema.parse({ hostname: 'dev', user: { name: 'me', password: 'x' }, root: { password: 'x' } });
  const hashes = [
    ...Object.values(await hashAnswers(same, { image: 'a' }, askOpenssl([]))),
    ...Object.values(await hashAnswers(same, { image: 'b' }, askOpenssl([]))),
  ].flatMap((part) => (typeof part === 'object' && part !== null && 'password' in part ? part.password : []));
  expect(new Set(hashes).size).toBe(4);
});

test('without a password nothing is run', async () => {
  const calls: Call[] = [];
  const bare = answersSchema.parse({ hostname: 'dev', user: { name: 'me' } });
  expect((await hashAnswers(bare, { image: 'dev' }, askOpenssl(calls))).user).toEqual({
    name: 'me',
    'ssh-keys': [],
    sudo: false,
  });
  expect(calls).toEqual([]);
});

test.each([
  ['two\nlines', 'has a line break'],
  ['nul\0', 'has a line break or another control character'],
  ['x'.repeat(257), 'is longer than 256 bytes'],
])('the password %j is refused without being shown', async (password, why) => {
  const given = answersSchema.parse({ hostname: 'dev', root: { password } });
  const failure = await hashAnswers(given, { image: 'dev' }, askOpenssl([])).catch((error: unknown) => String(error));
  expect(failure).toContain(`the password of root in the answers ${why}`);
  expect(failure).not.toContain(password);
});

test('an answer of openssl that is no hash is not taken for one', async () => {
  const odd = fakeContext({ run: async () => ({ exitCode: 0, stdout: '<NULL>\n', stderr: '' }) });
  await expect(hashAnswers(answers, { image: 'dev' }, odd)).rejects.toThrow('openssl gave no sha512-crypt hash');
  expect(asPasswordHash('!')).toBeUndefined();
});
