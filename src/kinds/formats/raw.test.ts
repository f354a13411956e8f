import { expect, test } from 'vitest';
import { facts } from '../../../test/support/format-lab.ts';
import { raw, unpackArgv, writeArgv } from './raw.ts';

test.each([
  ['none', 'raw', 'raw', ['cp', '--sparse=always', '/a b', '/o']],
  ['zstd', 'raw.zst', undefined, ['zstd', '-q', '-3', '-T0', '-o', '/o', '/a b']],
  ['gzip', 'raw.gz', undefined, ['gzip', '-n', '-6', '-c', '/a b']],
] as const)('compression %s ends in .%s and is written so', (compression, extension, boots, argv) => {
  const options = raw.options.parse({ compression });
  expect(raw.extension(options)).toBe(extension);
  expect(raw.boots(options)).toBe(boots);
  expect(writeArgv({ compression }, '/a b', '/o')).toEqual(argv);
});

test.each([
  ['none', ['cp', '--sparse=always', '/a b', '/o']],
  ['zstd', ['zstd', '-q', '-d', '--sparse', '-o', '/o', '/a b']],
  ['gzip', ['bash', '-o', 'pipefail', '-c', expect.stringContaining('conv=sparse'), '/a b', '/o']],
] as const)('compression %s is taken off again', (compression, argv) => {
  expect(unpackArgv({ compression }, '/a b', '/o')).toEqual(argv);
});

test('it is not compressed unless that is asked for, and other words are refused', () => {
  expect(raw.options.parse({})).toEqual({ compression: 'none' });
  expect(raw.options.safeParse({ compression: 'xz' }).success).toBe(false);
  expect(raw.options.safeParse({ compress: 'zstd' }).success).toBe(false);
});

test('gzip writes to the output, which no other compression does', async () => {
  const told: unknown[] = [];
  const signal = new AbortController().signal;
  const host = { run: async (_: unknown, options: unknown) => told.push(options) } as never;
  const ctx = { host, signal, emit: () => undefined, step: 's' };
  for (const compression of ['gzip', 'zstd'])
    await raw.write(raw.options.parse({ compression }), { disk: '/d', output: '/o', image: facts }, ctx);
  expect(told).toEqual([{ signal, stdoutFile: '/o' }, { signal }]);
});
