import { expect, test } from 'vitest';
import { listingJson, listingPage } from './listing.ts';

const entries = [
  { name: 'web', type: 'directory', modifiedMs: 0 },
  { name: 'x+1.iso', type: 'file', modifiedMs: 1_000, bytes: 4_700_000_000, sha256: 'ab' },
] as const;

test('a page says what there is, how large and of when', () => {
  const page = listingPage(['isos', '<b>'], entries);
  expect(page).toContain('<a href="web/">web/</a>');
  expect(page).toContain('<a href="x%2B1.iso">x+1.iso</a>');
  expect(page).toContain('4.7 GB');
  expect(page).toContain('1970-01-01 00:00');
  expect(page).toContain('<a href="/isos/">isos</a>');
  expect(page).not.toContain('<b>');
  expect(page).not.toContain('<script');
});

test('an empty place says what fills it', () => {
  expect(listingPage([], [])).toContain('ingot build');
});

test('programs get what nginx would tell them, and digests', () => {
  expect(JSON.parse(listingJson(entries))).toEqual([
    { name: 'web', type: 'directory', mtime: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    { name: 'x+1.iso', type: 'file', mtime: 'Thu, 01 Jan 1970 00:00:01 GMT', size: 4_700_000_000, sha256: 'ab' },
  ]);
});
