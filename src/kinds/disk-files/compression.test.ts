import { expect, test } from 'vitest';
import { packArgv, unpackArgv } from './compression.ts';

test.each([
  ['zstd', ['zstd', '-q', '-3', '-T0', '-c']],
  ['gzip', ['gzip', '-n', '-6', '-c']],
  ['xz', ['xz', '-q', '-6', '--threads=8', '-c']],
] as const)('%s compresses without names, times and numbers of cores', (compression, argv) => {
  expect(packArgv(compression, 8)).toEqual(argv);
});

test('xz has two threads even on one core: with one it would write other bytes', () => {
  expect(packArgv('xz', 1)).toContain('--threads=2');
});

test.each([
  ['none', ['cp', '--sparse=always', '/a b', '/o']],
  ['zstd', ['zstd', '-q', '-d', '--sparse', '-o', '/o', '/a b']],
  ['gzip', ['bash', '-o', 'pipefail', '-c', expect.stringContaining('gzip -dc'), '/a b', '/o']],
  ['xz', ['bash', '-o', 'pipefail', '-c', expect.stringContaining('conv=sparse'), '/a b', '/o']],
] as const)('compression %s is taken off again', (compression, argv) => {
  expect(unpackArgv(compression, '/a b', '/o')).toEqual(argv);
});
