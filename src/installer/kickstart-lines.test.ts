import { expect, test } from 'vitest';
import { optionOf, parseKickstart, splitWords } from './kickstart-lines.ts';
import { netmaskOf, prefixOf } from './netmask.ts';

// What Python's shlex.split(line, comments=True) gives.
test.each([
  ['a#b c', ['a']],
  ['#x', []],
  ["a '#' b", ['a', '#', 'b']],
  ['a\\ b', ['a b']],
  ["'a'\\''b'", ["a'b"]],
  ['"a\\"b\\n"', ['a"b\\n']],
  ['a "b#c" #d', ['a', 'b#c']],
  ["--x='a b'c", ['--x=a bc']],
  ["''", ['']],
  ["a 'b", undefined],
  ['a\\', undefined],
])('%s', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test('all that ends a line for Python ends one', () => {
  const text = 'a\nb\rc\r\nd\u2028e\u0085f\x0bg\x1ch';
  expect(parseKickstart(text).commands.map(({ words }) => words[0])).toEqual('abcdefgh'.split(''));
});

test('an option is read in both spellings', () => {
  expect(optionOf(['network', '--ip=1', '--device', 'link'], 'ip')).toBe('1');
  expect(optionOf(['network', '--ip=1', '--device', 'link'], 'device')).toBe('link');
  expect(optionOf(['network', '--ipv6=1'], 'ip')).toBeUndefined();
});

test('prefixes and netmasks are the same thing', () => {
  expect([0, 1, 8, 24, 25, 32].map(netmaskOf)).toEqual([
    ...['0.0.0.0', '128.0.0.0', '255.0.0.0', '255.255.255.0', '255.255.255.128', '255.255.255.255'],
  ]);
  for (let prefix = 0; prefix <= 32; prefix++) expect(prefixOf(netmaskOf(prefix))).toBe(prefix);
  expect(prefixOf('255.0.255.0')).toBeUndefined();
});
