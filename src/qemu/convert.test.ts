import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { vmdkDescription, vmdkImage } from '../../test/support/disk-images.ts';
import type { Context } from '../core/context.ts';
import { createHost } from '../host/host.ts';
import { confinedArgv, convertForeign } from './convert.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-convert-'));
});
afterEach(() => rm(folder, { recursive: true }));

const ctx = { host: createHost(), signal: new AbortController().signal } as unknown as Context;

test('the program that reads a foreign image has limits, no network and no file beside it; its format is pinned', () => {
  const image = { path: '/store/abc', name: 'a.vmdk', format: 'vmdk', virtualSize: 1 } as const;
  const argv = confinedArgv(image, '/work/b', 77);
  expect(argv.slice(0, 8)).toEqual([
    ...['prlimit', '--cpu=3600', '--as=4294967296', '--fsize=77', '--core=0', '--', 'bwrap', '--unshare-all'],
  ]);
  expect(argv.slice(argv.lastIndexOf('--') + 1)).toEqual([
    ...['qemu-img', 'convert', '-f', 'vmdk', '-O', 'qcow2', '/image/disk', '/image/out/converted.qcow2'],
  ]);
  const shown = argv.flatMap((word, i) => (/^--(ro-)?bind(-try)?$/.test(word) ? [argv[i + 1]] : []));
  expect(shown).not.toContain('/');
  expect(shown.filter((path) => /^\/(etc|root|home|store|work|var|proc)/.test(path ?? ''))).toEqual([
    ...['/etc/ld.so.cache', '/store/abc', '/work/b'],
  ]);
});

test.each(['vmdk', 'vhdx', 'vdi'] as const)('a %s becomes a qcow2 with the same bytes', async (format) => {
  const bytes = randomBytes(3 * 1024 ** 2);
  const [raw, image, back] = ['raw', `a.${format}`, 'back'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(raw, bytes);
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', format, raw, image]);
  const made = await convertForeign({ path: image, name: 'a', format, virtualSize: bytes.length }, folder, ctx);
  execFileSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', made, back]);
  expect((await readFile(back)).equals(bytes)).toBe(true);
});

test('even an image that was never looked at gets at no file of this machine', async () => {
  const secret = join(folder, 'secret');
  await writeFile(secret, Buffer.alloc(1024 ** 2, 'secret'));
  const image = join(folder, 'a.vmdk');
  await writeFile(image, vmdkDescription('monolithicFlat', `RW 2048 FLAT "${secret}" 0`));
  const out = join(folder, 'out');
  await mkdir(out);
  const converted = convertForeign({ path: image, name: 'a.vmdk', format: 'vmdk', virtualSize: 1024 ** 2 }, out, ctx);
  await expect(converted).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  expect(await readdir(out)).toEqual([]);
  // The control: without the walls the program does read it.
  const leaked = join(folder, 'leaked');
  execFileSync('qemu-img', ['convert', '-f', 'vmdk', '-O', 'raw', image, leaked]);
  expect(String(await readFile(leaked)).startsWith('secret')).toBe(true);
});

test('a damaged image is refused in plain words, with those of the program, and leaves nothing', async () => {
  const image = join(folder, 'a.vmdk');
  const bytes = vmdkImage({ stream: true });
  await writeFile(image, bytes);
  const out = join(folder, 'out');
  await mkdir(out);
  const converted = convertForeign({ path: image, name: 'a.vmdk', format: 'vmdk', virtualSize: 1024 ** 2 }, out, ctx);
  await expect(converted).rejects.toMatchObject({
    code: 'INPUT_REFUSED',
    message: expect.stringMatching(/^the disk image a\.vmdk \(vmdk\) cannot be read to its end: qemu-img ended with/),
    detail: [expect.stringContaining('qemu-img:')],
  });
  expect(await readdir(out)).toEqual([]);
});
