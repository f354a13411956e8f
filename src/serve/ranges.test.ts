import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRange } from './ranges.ts';

test.each([
  ['bytes=0-0', { first: 0, last: 0 }],
  ['bytes=10-', { first: 10, last: 99 }],
  ['bytes=-5', { first: 95, last: 99 }],
  ['bytes=-500', { first: 0, last: 99 }],
  ['bytes=90-500', { first: 90, last: 99 }],
  ['bytes=4-99999999999999999999999', { first: 4, last: 99 }],
  ['Bytes=1-2', { first: 1, last: 2 }],
  ['bytes=200-,1-2', { first: 1, last: 2 }],
  ['bytes=100-', 'none'],
  ['bytes=99999999999999999999999-', 'none'],
  ['bytes=-0', 'none'],
  ['bytes=5-2', 'none'],
  ['bytes=x', 'none'],
  ['bytes=1-2,x', 'none'],
  ['bytes=1-2,3-4', undefined],
  ['bytes=', undefined],
  ['lines=1-2', undefined],
  [undefined, undefined],
])('of 100 bytes %s is %o', (header, part) => {
  expect(readRange(header, 100)).toEqual(part);
});

test('an empty file is sent whole', () => {
  expect(readRange('bytes=0-', 0)).toBeUndefined();
});

test('whatever is asked for, no byte outside of the file is meant', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (text, bytes) => {
      const part = readRange(`bytes=${text}`, bytes);
      if (part === undefined || part === 'none') return;
      expect(part.first).toBeGreaterThanOrEqual(0);
      expect(part.last).toBeGreaterThanOrEqual(part.first);
      expect(part.last).toBeLessThan(bytes);
    }),
  );
});
