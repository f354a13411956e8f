import { expect, test } from 'vitest';
import { remoteCall } from './script.ts';

const script = {
  text: 'true\n',
  args: ['a b', "it's"],
  env: { TOKEN: 'hush 2' },
  interpreter: ['/usr/bin/python3', '-u'] as const,
};

test('root scripts go through sudo, with arguments as single words', () => {
  const { line } = remoteCall(script, { sudo: true });
  expect(line).toContain('sudo -n -- /bin/sh -c ');
  expect(line).toContain(`exec /usr/bin/python3 -u "$0/script"`);
  expect(line).toMatch(/<\/dev\/null$/);
  expect(remoteCall(script, { sudo: false }).line).not.toContain('sudo');
});

test('root scripts make files that others read and find programs, whatever the login says', () => {
  const { line, input } = remoteCall(script, { sudo: true });
  expect(line).toContain('umask 022; ');
  expect(input).toContain('export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
});

test('the environment goes by stdin, never on a command line', () => {
  const { line, input } = remoteCall(script, { sudo: true });
  expect(line).not.toContain('hush');
  expect(input).toContain("export TOKEN='hush 2'\ntrue\n");
});

test("what follows the script on stdin is the script's own", async () => {
  const { line, input } = remoteCall({ text: 'cat' }, { sudo: false, stdin: 'own\n' });
  expect(line).toContain(`dd bs=3 count=1 iflag=fullblock of="$d/script"`);
  expect(line).not.toContain('/dev/null"$');
  let text = '';
  for await (const bytes of input as AsyncIterable<Uint8Array>) text += Buffer.from(bytes).toString();
  expect(text).toMatch(/\ncatown\n$/);
});
