import { expect, test } from 'vitest';
import { formats } from '../kinds/formats/index.ts';
import { formatEndings } from './endings.ts';

test.each([
  ['img.xz', 'img', {}],
  ['img.gz', 'img', { compression: 'gzip' }],
  ['raw.zst', 'raw', { compression: 'zstd' }],
  ['tar.xz', 'tar', { compression: 'xz' }],
  ['utm.zip', 'utm', {}],
  ['vma.zst', 'vma', {}],
])('files that end in %s are of %s', (ending, name, options) => {
  expect(formatEndings(formats).get(ending)).toMatchObject({ format: { name }, options });
});

test('the names of formats themselves are not among them', () => {
  const endings = formatEndings(formats);
  for (const name of formats.keys()) expect(endings.has(name)).toBe(false);
});
