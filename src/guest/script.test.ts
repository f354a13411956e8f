import { expect, test } from 'vitest';
import { remoteLine } from './script.ts';

test('root scripts go through sudo, with arguments and environment as single words', () => {
  const script = {
    text: 'true',
    args: ['a b', "it's"],
    env: { X: '1 2' },
    interpreter: ['/usr/bin/python3', '-u'] as const,
  };
  expect(remoteLine(script, { sudo: true })).toContain(
    `sudo -n -- env 'X=1 2' /usr/bin/python3 -u "$f" 'a b' 'it'\\''s' </dev/null`,
  );
  expect(remoteLine(script, { sudo: false })).not.toContain('sudo');
});
