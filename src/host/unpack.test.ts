import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contentDigest, everything } from './sparse.ts';
import { type Compression, compressionOf, limitsFor, type UnpackLimits, unpackFile } from './unpack.ts';

const mebibyte = 1024 * 1024;
const pack: Readonly<Record<Compression, (bytes: Buffer) => Buffer>> = {
  xz: (bytes) => execFileSync('xz', ['--compress', '--stdout', '-1'], { input: bytes }),
  bz2: (bytes) => execFileSync('bzip2', ['--compress', '--stdout'], { input: bytes }),
  gz: (bytes) => gzipSync(bytes),
  // As the program does it; without a checksum a changed byte may go unseen.
  zst: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
};
const all = Object.keys(pack) as Compression[];

/** Data, a long hole, a page of data inside another, and an end that is no whole page. */
const disk = Buffer.alloc(6 * mebibyte + 777);
randomBytes(100_000).copy(disk, 0);
randomBytes(4096).copy(disk, 4 * mebibyte + 8192);
disk.write('the end', disk.length - 7);

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-unpack-'));
});
afterEach(() => rm(folder, { recursive: true }));

const plenty = { bytes: 64 * mebibyte, dataBytes: 64 * mebibyte };

async function unpack(compression: Compression, packed: Buffer, limits: UnpackLimits = plenty) {
  const from = join(folder, 'packed');
  await writeFile(from, packed);
  const signal = new AbortController().signal;
  return unpackFile({ from, to: join(folder, 'disk'), compression, limits, name: 'a.raw.x', signal });
}

test.each(all)('a disk in %s comes out whole, with holes where it is zero, and is known by its bytes', async (one) => {
  const content = await unpack(one, pack[one](disk));
  expect(await compressionOf(join(folder, 'packed'))).toBe(one);
  expect((await readFile(join(folder, 'disk'))).equals(disk)).toBe(true);
  expect(content.bytes).toBe(disk.length);
  expect((await stat(join(folder, 'disk'))).blocks * 512).toBeLessThan(300_000);
  for (const ranges of [content.ranges, everything(disk.length)]) {
    expect(await contentDigest(join(folder, 'disk'), ranges, new AbortController().signal)).toBe(content.digest);
  }
  expect(content.ranges.reduce((blocks, [, count]) => blocks + count, 0)).toBeLessThan(8);
});

test.each(all)('several streams of %s after each other are one file', async (one) => {
  const halves = [disk.subarray(0, 70_000), disk.subarray(70_000)];
  await unpack(one, Buffer.concat(halves.map(pack[one])));
  expect((await readFile(join(folder, 'disk'))).equals(disk)).toBe(true);
});

test.each(all)('a file in %s that was cut off or changed is refused as damaged, and leaves nothing', async (one) => {
  const whole = pack[one](disk);
  const changed = Buffer.from(whole);
  changed.writeUInt32LE((changed.readUInt32LE(50_000) ^ 0xffffffff) >>> 0, 50_000);
  for (const packed of [whole.subarray(0, whole.length - 20), whole.subarray(0, 60_000), changed]) {
    await expect(unpack(one, packed)).rejects.toMatchObject({
      code: 'INPUT_REFUSED',
      message: 'a.raw.x is damaged: it cannot be unpacked to its end',
      detail: [expect.stringMatching(new RegExp(`^${one}: .`))],
    });
    expect(await readdir(folder)).toEqual(['packed']);
  }
});

test.each(all)('a bomb in %s is stopped at the limit and leaves nothing', async (one) => {
  const zeros = pack[one](Buffer.alloc(32 * mebibyte));
  const data = pack[one](Buffer.alloc(32 * mebibyte, 0xff));
  expect(zeros.length).toBeLessThan(40_000);
  const long = unpack(one, zeros, { bytes: 8 * mebibyte, dataBytes: mebibyte });
  await expect(long).rejects.toMatchObject({ code: 'INPUT_REFUSED', message: expect.stringContaining('8388608') });
  const wide = unpack(one, data, { bytes: 64 * mebibyte, dataBytes: mebibyte });
  await expect(wide).rejects.toMatchObject({ code: 'INPUT_REFUSED', message: expect.stringContaining('1048576') });
  expect(await readdir(folder)).toEqual(['packed']);
});

test('the limits let real images pass: a small one of 8 GiB, one of 64 GiB with little in it', () => {
  expect(limitsFor(1_000_000).bytes).toBeGreaterThan(8 * 1024 ** 3);
  expect(limitsFor(60_000_000).bytes).toBeGreaterThan(64 * 1024 ** 3);
  expect(limitsFor(60_000_000).dataBytes).toBeGreaterThan(4 * 1024 ** 3);
  expect(limitsFor(1_000_000).bytes / 1_000_000).toBeLessThan(1_000_000);
});

test('a stop ends the unpacker and leaves nothing', async () => {
  const from = join(folder, 'packed');
  await writeFile(from, pack.xz(disk));
  const controller = new AbortController();
  const done = unpackFile({
    from,
    to: join(folder, 'disk'),
    compression: 'xz',
    limits: plenty,
    name: 'a.raw.x',
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('stop')),
  });
  await expect(done).rejects.toThrow('stop');
  expect(await readdir(folder)).toEqual(['packed']);
});

test.each(['', 'BZ', 'plain text', '\x1f\x8b'])('%j is not compressed', async (text) => {
  await writeFile(join(folder, 'plain'), text, 'latin1');
  expect(await compressionOf(join(folder, 'plain'))).toBeUndefined();
});
