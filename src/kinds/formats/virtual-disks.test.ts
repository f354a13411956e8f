import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { formatLab, sha256 } from '../../../test/support/format-lab.ts';
import type { Format } from '../../core/kinds.ts';
import { vdi } from './vdi.ts';
import { vhd } from './vhd.ts';
import { vhdx } from './vhdx.ts';
import { vmdk } from './vmdk.ts';

const lab = formatLab();

type Case = readonly [what: string, format: Format, options: { readonly subformat?: string }, driver: string];

const cases: readonly Case[] = [
  ['vmdk streamOptimized', vmdk, { subformat: 'streamOptimized' }, 'vmdk'],
  ['vmdk sparse', vmdk, { subformat: 'sparse' }, 'vmdk'],
  ['vhdx', vhdx, {}, 'vhdx'],
  ['vdi', vdi, {}, 'vdi'],
  ['vhd fixed', vhd, { subformat: 'fixed' }, 'vpc'],
  ['vhd dynamic', vhd, { subformat: 'dynamic' }, 'vpc'],
];

async function writeTwice(format: Format, options: Case[2]) {
  const disk = await lab.disk();
  // As sparse as can be, and not at all: the same bytes.
  await lab.run('cp', '--sparse=never', disk, lab.path('full.raw'));
  for (const name of ['one', 'two']) await mkdir(lab.path(name));
  const file = `lab.${format.extension(format.options.parse(options))}`;
  const one = await lab.write(format, options, disk, lab.path(`one/${file}`));
  const two = await lab.write(format, options, lab.path('full.raw'), lab.path(`two/${file}`));
  return { disk, one, two };
}

test.each(cases)('%s: the same disk gives the same bytes, another disk other ids', async (_, format, options) => {
  const { one, two } = await writeTwice(format, options);
  expect(await sha256(two)).toBe(await sha256(one));
  const other = await lab.write(format, options, await lab.disk(64, 'another'), lab.path('other'));
  expect(await idsIn(other)).not.toBe(await idsIn(one));
});

/** What readers call the disk. */
async function idsIn(path: string): Promise<string> {
  const said = await lab.run('sh', '-c', 'vmdkinfo "$0" || vhdiinfo "$0" || od -An -tx1 -j 392 -N 32 "$0"', path);
  const ids = said.split('\n').filter((line) => /dentifier|^( [0-9a-f]{2}){16}$/.test(line) && !/Parent/.test(line));
  expect(ids).not.toEqual([]);
  return ids.join('\n');
}

test.each(cases)('%s: QEMU reads the very disk, and the file has no errors', async (_, format, options, driver) => {
  const { disk, one } = await writeTwice(format, options);
  expect(format.boots(format.options.parse(options))).toBe(driver);
  await expect(lab.run('qemu-img', 'compare', '-f', 'raw', '-F', driver, disk, one)).resolves.toContain('identical');
  // QEMU has no check for VHD.
  const check = driver === 'vpc' ? 'No errors' : await lab.run('qemu-img', 'check', '-f', driver, one);
  expect(check).toContain('No errors');
});

test.each([
  ['vmdk streamOptimized', vmdk, {}, ['Stream optimized', 'Extent: 1', 'Filename:\\s+lab.vmdk']],
  ['vmdk sparse', vmdk, { subformat: 'sparse' }, ['Monolithic sparse', 'Filename:\\s+lab.vmdk']],
] as const)('%s: libvmdk reads it', async (_, format, options, words) => {
  const output = await lab.write(format, options, await lab.disk(), lab.path('lab.vmdk'));
  const said = await lab.run('vmdkinfo', output);
  for (const word of [...words, 'Media size:\\s+64 MiB']) expect(said).toMatch(new RegExp(word));
});

test.each([
  ['vhdx', vhdx, {}, ['VHDX', 'Dynamic']],
  ['vhd fixed', vhd, {}, ['Fixed']],
  ['vhd dynamic', vhd, { subformat: 'dynamic' }, ['Dynamic']],
] as const)('%s: libvhdi reads it', async (_, format, options, words) => {
  const output = await lab.write(format, options, await lab.disk(), lab.path('lab'));
  const said = await lab.run('vhdiinfo', output);
  for (const word of [...words, 'Media size\\s+: 64 MiB']) expect(said).toMatch(new RegExp(word));
});

test('a fixed vhd is a whole number of MiB and a footer, as Azure wants it, and as QEMU writes it but for ids', async () => {
  const disk = await lab.disk(64);
  const file = await lab.ctx.host.files.open(disk, 'change');
  await file.truncate(64 * 1024 ** 2 - 1024);
  const output = await lab.write(vhd, {}, disk, lab.path('lab.vhd'));
  expect((await lab.ctx.host.files.stat(output))?.size).toBe(64 * 1024 ** 2 + 512);
  await file.truncate(64 * 1024 ** 2);
  await file.close();
  const words = ['-O', 'vpc', '-o', 'subformat=fixed,force_size=on'];
  await lab.run('qemu-img', 'convert', '-f', 'raw', ...words, disk, lab.path('theirs.vhd'));
  const differing = await lab.run('sh', '-c', 'cmp -l "$0" "$1" | cut -c 1-9 || :', output, lab.path('theirs.vhd'));
  const places = differing.split('\n').filter((line) => line !== '');
  const inFooter = places.map((place) => Number(place) - 1 - 64 * 1024 ** 2);
  // Time, version of the writer, its system, checksum and id.
  const mayDiffer = (at: number) =>
    (at >= 24 && at < 28) || (at >= 32 && at < 36) || (at >= 36 && at < 40) || (at >= 64 && at < 84);
  expect(inFooter.filter((at) => !mayDiffer(at))).toEqual([]);
});

test('how far it is, is told in bytes of the disk', async () => {
  await lab.write(vdi, {}, await lab.disk(), lab.path('lab.vdi'));
  expect(lab.events.at(-1)).toEqual({
    ...{ type: 'progress', id: 'format', unit: 'bytes' },
    ...{ done: 64 * 1024 ** 2, total: 64 * 1024 ** 2 },
  });
});
