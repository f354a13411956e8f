import { expect, test } from 'vitest';
import { isApiAddress, isTag, repositoryPattern } from './repository.ts';

test.each([
  ['me/images', true],
  ['a-b/c.d_e-f', true],
  ['me', false],
  ['me/', false],
  ['me/..', false],
  ['me/a/b', false],
  ['-me/a', false],
  ['me/a b', false],
])('the repository %s: %s', (text, good) => {
  expect(repositoryPattern.test(text)).toBe(good);
});

test.each([
  ['https://api.github.com', true],
  ['https://ghe.example.org/api/v3', true],
  ['http://127.0.0.1:1', true],
  ['http://[::1]:1', true],
  ['http://example.org', false],
  ['http://localhost.example.org', false],
  ['https://me:secret@example.org', false],
  ['ftp://example.org', false],
  ['example.org', false],
])('a token may go to %s: %s', (text, good) => {
  expect(isApiAddress(text)).toBe(good);
});

test.each([
  ['v13.3', true],
  ['2026.11.21', true],
  ['latest', true],
  ['a..b', false],
  ['a.lock', false],
  ['-a', false],
  ['a/b', false],
  ['', false],
])('the tag %j: %s', (text, good) => {
  expect(isTag(text)).toBe(good);
});
