import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { remoteCall } from './script.ts';

const byUser = { root: true, sudo: true };
const byRoot = { root: true, sudo: false };
const asUser = { root: false, sudo: true };

const script = {
  text: 'true\n',
  args: ['a b', "it's"],
  env: { TOKEN: 'hush 2' },
  interpreter: ['/usr/bin/python3', '-u'] as const,
};

test('root scripts go through sudo, with arguments as single words', () => {
  const { line } = remoteCall(script, byUser);
  expect(line).toContain('sudo -n -- /bin/sh -c ');
  expect(line).toContain(`exec /usr/bin/python3 -u "$0/script"`);
  expect(line).toMatch(/<\/dev\/null$/);
  for (const who of [byRoot, asUser]) expect(remoteCall(script, who).line).not.toContain('sudo');
});

test('root scripts make files that others read and find programs, whatever the login says', () => {
  for (const who of [byUser, byRoot]) {
    for (const one of [script, { text: 'true' }]) {
      const { line, input } = remoteCall(one, who);
      expect(line).toContain('umask 022; ');
      expect(input).toContain('export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
    }
  }
  expect(remoteCall(script, asUser).input).not.toContain('PATH=');
});

test('the environment goes by stdin, never on a command line', () => {
  const { line, input } = remoteCall(script, byUser);
  expect(line).not.toContain('hush');
  expect(input).toContain("export TOKEN='hush 2'\ntrue\n");
});

test("what follows the script on stdin is the script's own", async () => {
  const { line, input } = remoteCall({ text: 'cat' }, { ...asUser, stdin: 'own\n' });
  expect(line).toContain(`dd bs=3 count=1 iflag=fullblock of="$d/script"`);
  expect(line).not.toContain('/dev/null"$');
  let text = '';
  for await (const bytes of input as AsyncIterable<Uint8Array>) text += Buffer.from(bytes).toString();
  expect(text).toMatch(/\ncatown\n$/);
});

/** Run a call as sshd would: the line by the login shell, the input on stdin. */
function ran(text: string) {
  const { line, input } = remoteCall({ text }, asUser);
  return spawnSync('/bin/sh', ['-c', line], { input: input as string, encoding: 'utf8', env: { HOME: '/' } });
}

test.each([
  ['its own words and end', 'echo "it\'s $((1 + 1))"\nexit 3\n', "it's 2\n", 3],
  ['no input', 'cat; read -r line || echo none\n', 'none\n', 0],
  ['its home for a folder', 'pwd', '/\n', 0],
  ['here-documents', 'cat <<EOF\nsome $HOME\nEOF\n', 'some /\n', 0],
  ['no way out of a quote', 'echo \'"$(echo x)" `id`\'', '"$(echo x)" `id`\n', 0],
  ['the files and masks of others', 'umask', '0022\n', 0],
])('a plain script needs no file, and has %s', (_, text, stdout, status) => {
  expect(ran(text)).toMatchObject({ stdout, stderr: '', status });
});

test('a plain script with a mistake in it says so', () => {
  const { status, stderr } = ran('if true\n');
  expect(status).toBe(2);
  expect(stderr).toMatch(/[Ss]yntax error/);
});
