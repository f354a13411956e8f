import { expect, test } from 'vitest';
import { formatLab, sha256 } from '../../../test/support/format-lab.ts';
import { raw } from './raw.ts';

const lab = formatLab();

test.each([
  ['none', 'raw', 'raw', 'raw'],
  ['zstd', 'raw.zst', undefined, 'raw (zstd)'],
  ['gzip', 'raw.gz', undefined, 'raw (gzip)'],
  ['xz', 'raw.xz', undefined, 'raw (xz)'],
] as const)('compression %s ends in .%s', (compression, extension, boots, title) => {
  const options = raw.options.parse({ compression });
  expect([raw.extension(options), raw.boots(options), raw.title(options)]).toEqual([extension, boots, title]);
});

test('it is not compressed unless that is asked for, and other words are refused', () => {
  expect(raw.options.parse({})).toEqual({ compression: 'none' });
  expect(raw.options.safeParse({ compression: 'lz4' }).success).toBe(false);
  expect(raw.options.safeParse({ compress: 'zstd' }).success).toBe(false);
});

test.each(['none', 'zstd', 'gzip', 'xz'] as const)(
  'compression %s: what is unpacked is the disk, with holes; everybody may read the file, and it is the same twice',
  async (compression) => {
    const disk = await lab.disk();
    const options = raw.options.parse({ compression });
    const one = await lab.write(raw, { compression }, disk, lab.path('one'));
    const two = await lab.write(raw, { compression }, disk, lab.path('two'));
    expect(await sha256(two)).toBe(await sha256(one));
    expect((await lab.ctx.host.files.stat(one))?.mode).toBe(0o644);
    const back = lab.path('back');
    expect(await raw.unpack?.(options, { file: one, output: back }, lab.ctx)).toBe('raw');
    expect(await sha256(back)).toBe(await sha256(disk));
    expect(Number(await lab.run('stat', '-c', '%b', back)) * 512).toBeLessThan(8 * 1024 ** 2);
  },
);

test.each(['zstd', 'gzip', 'xz'] as const)('compression %s: a damaged file is a failure', async (compression) => {
  const options = raw.options.parse({ compression });
  const file = await lab.write(raw, { compression }, await lab.disk(), lab.path('one'));
  const open = await lab.ctx.host.files.open(file, 'change');
  await open.truncate(100_000);
  await open.close();
  const unpacked = raw.unpack?.(options, { file, output: lab.path('back') }, lab.ctx);
  await expect(unpacked).rejects.toMatchObject({ code: 'TOOL_FAILED' });
});
