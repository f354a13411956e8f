import { expect, test } from 'vitest';
import { keystrokes, mistakeInTyping } from './typing.ts';

const url = 'http://10.0.2.2:8/a/';

test.each<[string, readonly (string | number)[]]>([
  ['ab1', ['a', 'b', '1']],
  ['Ab', ['shift+a', 'b']],
  [' -=/.,', ['spc', 'minus', 'equal', 'slash', 'dot', 'comma']],
  ['_+?:"', ['shift+minus', 'shift+equal', 'shift+slash', 'shift+semicolon', 'shift+apostrophe']],
  ['!@(', ['shift+1', 'shift+2', 'shift+9']],
  ['<esc><enter><f10>', ['esc', 'ret', 'f10']],
  ['<wait><wait5><wait10>', [1000, 5000, 10_000]],
  ['<lt>a>', ['shift+comma', 'a', 'shift+dot']],
  ['1 < 2', ['1', 'spc', 'shift+comma', 'spc', '2']],
  ['x<up>\n', ['x', 'up', 'ret']],
])('%j is typed as %j', (text, expected) => {
  expect(mistakeInTyping(text)).toBeUndefined();
  const strokes = keystrokes([text], url);
  expect(strokes.map((stroke) => ('keys' in stroke ? stroke.keys.join('+') : stroke.waitMs))).toEqual(expected);
});

test('the address of the answers is typed key by key', () => {
  const strokes = keystrokes(['<url>'], url).map((stroke) => ('keys' in stroke ? stroke.keys.join('+') : ''));
  expect(strokes.join(' ')).toBe(
    'h t t p shift+semicolon slash slash 1 0 dot 0 dot 2 dot 2 shift+semicolon 8 slash a slash',
  );
});

test.each([
  ['<entre>', /<entre> is no key: write <enter>/],
  ['<f13>', /<f13> is no key/],
  ['<url5>', /<url5> is no key/],
  ['grün', /no key of a US keyboard types "ü"/],
])('%j is refused', (text, words) => {
  expect(mistakeInTyping(text)).toMatch(words);
});
