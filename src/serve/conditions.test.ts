import { expect, test } from 'vitest';
import { isSame, judge } from './conditions.ts';

const time = 'Sat, 21 Nov 2026 12:00:00 GMT';
const later = 'Sat, 21 Nov 2026 12:00:01 GMT';
const earlier = 'Sat, 21 Nov 2026 11:59:59 GMT';
const state = { tag: 'sha256:ab', modifiedMs: Date.parse(time) + 250 };

test.each([
  [{}, undefined],
  [{ 'if-none-match': '"sha256:ab"' }, 304],
  [{ 'if-none-match': '"x", W/"sha256:ab"' }, 304],
  [{ 'if-none-match': '*' }, 304],
  [{ 'if-none-match': '"x"' }, undefined],
  [{ 'if-none-match': 'sha256:ab' }, undefined],
  [{ 'if-none-match': '"x"', 'if-modified-since': time }, undefined],
  [{ 'if-modified-since': time }, 304],
  [{ 'if-modified-since': later }, undefined],
  [{ 'if-modified-since': 'soon' }, undefined],
  [{ 'if-match': '"sha256:ab"' }, undefined],
  [{ 'if-match': 'W/"sha256:ab"' }, 412],
  [{ 'if-match': '"x"' }, 412],
  [{ 'if-match': '*', 'if-unmodified-since': earlier }, undefined],
  [{ 'if-unmodified-since': earlier }, 412],
  [{ 'if-unmodified-since': time }, undefined],
  [{ 'if-unmodified-since': 'soon' }, undefined],
])('with %o the answer is %s', (headers, verdict) => {
  expect(judge(headers, state)).toBe(verdict);
});

test.each([
  [undefined, true],
  ['"sha256:ab"', true],
  [time, true],
  ['W/"sha256:ab"', false],
  ['"sha256:a"', false],
  [later, false],
])('a range is sent to who has %s: %s', (ifRange, isSent) => {
  expect(isSame(ifRange, state)).toBe(isSent);
});
