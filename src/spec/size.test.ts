import { expect, test } from 'vitest';
import { check } from './explain.ts';
import { mebibyte, parseSize, showSize, sizeSchema } from './size.ts';

test.each([
  ['8G', 8 * 1024 ** 3],
  ['8GiB', 8 * 1024 ** 3],
  ['8 GB', 8 * 1024 ** 3],
  ['512M', 512 * mebibyte],
  ['1.5G', 1536 * mebibyte],
  ['2T', 2 * 1024 ** 4],
  ['8', undefined],
  ['8g', undefined],
  ['G', undefined],
  ['-1G', undefined],
  ['1e3G', undefined],
  ['9999999999G', undefined],
  ['8G; rm -rf /', undefined],
  ['8G\n', undefined],
])('the size %j is read as %s bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  ['8X', 'expected a size like 8G or 512M, not "8X"'],
  ['1M', 'expected a size from 64 MiB to 1 TiB'],
  ['2T', 'expected a size from 64 MiB to 1 TiB'],
  ['100.5M', 'expected a whole number of MiB'],
  [100_000_001, 'expected a whole number of MiB'],
  [true, 'expected a size like 8G or 512M, not true'],
])('the disk size %j is refused in plain words', (written, message) => {
  const result = check(sizeSchema(64 * mebibyte, 1024 ** 4), written);
  expect('findings' in result && result.findings.map((finding) => finding.message)).toEqual([message]);
});

test('a size is shown as short as it can be said exactly', () => {
  expect(showSize(8 * 1024 ** 3)).toBe('8 GiB');
  expect(showSize(1536 * mebibyte)).toBe('1.5 GiB');
  expect(showSize(100 * mebibyte)).toBe('100 MiB');
  expect(showSize(5)).toBe('5 bytes');
});
