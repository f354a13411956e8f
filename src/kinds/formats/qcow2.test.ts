import { expect, test } from 'vitest';
import { qcow2, qcow2Argv } from './qcow2.ts';

test.each([
  ['zstd', ['-c', '-o', 'compression_type=zstd'], 'qcow2 (zstd)'],
  ['zlib', ['-c', '-o', 'compression_type=zlib'], 'qcow2 (zlib)'],
  ['none', [], 'qcow2'],
] as const)('with compression %s', (compression, words, title) => {
  expect(qcow2Argv(compression, '/a b', '/o')).toEqual([
    ...['qemu-img', 'convert', '-p', '-f', 'raw', '-O', 'qcow2', ...words, '/a b', '/o'],
  ]);
  expect(qcow2.title(qcow2.options.parse({ compression }))).toBe(title);
});

test('writers never run in parallel, which would place clusters in another order each time', () => {
  expect(qcow2Argv('zstd', 'd', 'o')).not.toContain('-W');
});

test('it boots as it is, whatever its compression', () => {
  expect(qcow2.extension(qcow2.options.parse({}))).toBe('qcow2');
  expect(qcow2.boots(qcow2.options.parse({ compression: 'none' }))).toBe('qcow2');
  expect(qcow2.options.safeParse({ compression: 'lz4' }).success).toBe(false);
});
