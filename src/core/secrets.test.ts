import { expect, test } from 'vitest';
import { escapeSecrets, fillSecrets, mayHoldSecret, secretNames } from './secrets.ts';

const places = [['env', '*'], ['content']];

test.each<[(string | number)[], boolean]>([
  [['env', 'TOKEN'], true],
  [['env', 0], true],
  [['content'], true],
  [['env'], false],
  [['env', 'A', 'B'], false],
  [['args', 0], false],
  [[], false],
])('at %j a secret may stand: %s', (path, expected) => {
  expect(mayHoldSecret(places, path)).toBe(expected);
});

test('secrets are filled in only where they may stand, once, and never again inside what was filled in', () => {
  const options = {
    env: { A: 'x ${secret.a} ${secret.b}', B: '$${secret.a}', C: '${HOME} ${secret.} $$' },
    content: '${secret.a}',
    args: ['${secret.a}'],
    mode: 420,
    none: null,
    absent: undefined,
  };
  const values: Readonly<Record<string, string>> = { a: '${secret.b}$&', b: 'two' };
  expect(fillSecrets(options, places, (name) => values[name] ?? '?')).toEqual({
    env: { A: 'x ${secret.b}$& two', B: '${secret.a}', C: '${HOME} ${secret.} $$' },
    content: '${secret.b}$&',
    args: ['${secret.a}'],
    mode: 420,
    none: null,
  });
});

test.each(['${secret.a}', '$${secret.a}', '$${secret', '${secret.${secret.a}}', 'plain'])(
  'escaped, the text %j comes out as it was',
  (text) => {
    expect(fillSecrets({ content: escapeSecrets(text) }, places, () => 'LEAK')).toEqual({ content: text });
  },
);

test('the secrets in a text are known by name; an escaped one is none', () => {
  expect(secretNames('a ${secret.x}$${secret.y} ${secret.z-1.k}')).toEqual(['x', 'z-1.k']);
});
