import { expect, test } from 'vitest';
import { ago, bytes, clip, count, duration, oneLine, table, width, wrap } from './text.ts';

test.each([
  [0, '0.0 s'],
  [3.44, '3.4 s'],
  [9.96, '10 s'],
  [59.7, '1 min 00 s'],
  [60, '1 min 00 s'],
  [72.4, '1 min 12 s'],
  [3599.6, '1 h 00 min'],
  [7500, '2 h 05 min'],
])('%d seconds read as %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [1_500_000_000, '1.5 GB'],
  [24_300_000, '24 MB'],
  [999_999, '1.0 MB'],
])('%d bytes read as %s', (number, text) => {
  expect(bytes(number)).toBe(text);
});

test('an age is told in its largest unit', () => {
  expect([ago(5), ago(720), ago(7300), ago(90_000), ago(900_000)]).toEqual([
    'just now',
    '12 min ago',
    '2 h ago',
    'yesterday',
    '10 days ago',
  ]);
});

test('a count agrees with its noun', () => {
  expect([count(1, 'image'), count(0, 'image'), count(2, 'entry', 'entries')]).toEqual([
    '1 image',
    '0 images',
    '2 entries',
  ]);
});

test('foreign text loses its escapes and cannot reorder the line', () => {
  expect(oneLine('\u001b[31mred\u001b[0m\r\u0007\tx\n\u202e')).toBe('red\\x0d\\x07  x\\x0a\\u202e');
  expect(oneLine('\u001b]0;title\u0007after')).toBe('\\x1b]0;title\\x07after');
});

test('wide characters take two columns, combining ones none, colours none', () => {
  expect([width('abc'), width('日本'), width('e\u0301'), width('\u001b[1mab\u001b[22m'), width('🚀')]).toEqual([
    3, 4, 1, 2, 2,
  ]);
});

test('a text is cut at its columns and says so', () => {
  expect(clip('abcdef', 6)).toBe('abcdef');
  expect(clip('abcdef', 4)).toBe('abc…');
  expect(clip('日本語', 4)).toBe('日…');
  expect(clip('abc', 0)).toBe('');
});

test('table columns line up whatever the colours, and no line ends in spaces', () => {
  expect(
    table([
      ['\u001b[1ma\u001b[22m', 'b'],
      ['long', 'c'],
      ['x', ''],
    ]),
  ).toEqual(['\u001b[1ma\u001b[22m     b', 'long  c', 'x']);
});

test('text wraps between words only', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('extraordinarily a', 5)).toEqual(['extraordinarily', 'a']);
});
