import { expect, test } from 'vitest';
import { setValues } from './set-values.ts';

const text = `# what we build on
pins:
  tool: 1.2   # not a file

  debian:     # the newest of "latest"
    sums: https://a.example/SUMS
    x86_64: { url: https://a.example/x,   sha256: "aaaa" }   # both
    aarch64:
      url: https://a.example/a
      sha256: 'bbbb'
      # the end
  k3s: { version: v1.34, sha256: cccc }
`;

const x86 = ['pins', 'debian', 'x86_64', 'sha256'];
const arm = ['pins', 'debian', 'aarch64', 'sha256'];

test('only the values change: comments, order, spaces and quotes stay', () => {
  const changed = setValues(text, [
    { path: x86, value: '1234' },
    { path: ['pins', 'k3s', 'sha256'], value: 'dddd' },
    { path: arm, value: 'eeee' },
  ]);
  expect(changed).toBe(text.replace('aaaa', '1234').replace('bbbb', 'eeee').replace('cccc', 'dddd'));
});

test.each([
  ['digits alone', '1234'],
  ['digits that look like a number with an exponent', '12e34'],
  ['nothing', ''],
  ['a word of YAML', 'null'],
])('%s stay text where there were no quotes', (_, value) => {
  const changed = setValues(text, [{ path: ['pins', 'k3s', 'sha256'], value }]);
  expect(changed).toBe(text.replace('cccc', JSON.stringify(value)));
});

test('an empty value is filled in', () => {
  expect(setValues('pins:\n  a: { sha256: "" }\n', [{ path: ['pins', 'a', 'sha256'], value: 'ab' }])).toBe(
    'pins:\n  a: { sha256: "ab" }\n',
  );
});

test('Windows line ends stay', () => {
  const windows = text.replaceAll('\n', '\r\n');
  expect(setValues(windows, [{ path: arm, value: 'eeee' }])).toBe(windows.replace('bbbb', 'eeee'));
});

test.each([
  ['an alias', 'pins:\n  a: { sha256: one }\n  c: &y two\n  b: { sha256: *y }\n'],
  ['a value with an anchor', 'pins:\n  a: { sha256: &y one }\n  b: { sha256: two }\n'],
  ['what is not there', 'pins: { a: {} }\n'],
  ['a map', 'pins:\n  a: { sha256: { x: 1 } }\n'],
  ['a broken file', 'pins: [\n'],
])('%s is left alone', (_, broken) => {
  expect(
    setValues(broken, [
      { path: ['pins', 'a', 'sha256'], value: 'two' },
      { path: ['pins', 'b', 'sha256'], value: 'two' },
    ]),
  ).toBeUndefined();
});
