import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  guidBytes,
  qcow2Image,
  rawImage,
  vdiImage,
  vhdxImage,
  vmdkDescription,
  vmdkImage,
} from '../../test/support/disk-images.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { createHost } from '../host/host.ts';
import { type DiskFormat, vetDisk } from './vet.ts';

/** What was read of an image. */
type Reading = { bytes: number; largest: number };

/** Vet bytes in memory; `size` says that the file goes on with zeros. */
async function vet(
  bytes: Buffer,
  format?: DiskFormat,
  size = bytes.length,
  reading: Reading = { bytes: 0, largest: 0 },
) {
  const files = {
    realPath: async (path: string) => path,
    stat: async () => ({ kind: 'file', size }),
    read: async (_: string, { offset = 0, length = 0 }) => {
      const there = Math.max(0, Math.min(length, size - offset));
      reading.bytes += there;
      reading.largest = Math.max(reading.largest, there);
      const found = Buffer.alloc(there);
      if (offset < bytes.length) bytes.copy(found, 0, offset, Math.min(bytes.length, offset + there));
      return found;
    },
  };
  const ctx = { host: { files } } as unknown as Context;
  return vetDisk({ path: '/x/disk', name: 'disk.img', format }, ctx);
}

type Change = (image: Buffer) => Buffer | undefined;

/** An image with something changed in it. */
function changed(image: Buffer, change: Change): Buffer {
  return change(image) ?? image;
}
const qcow2 = (change: Change, more = {}) => changed(qcow2Image(more), change);
const vmdk = (change: Change, more = {}) => changed(vmdkImage(more), change);
const vhdx = (change: Change, more = {}) => changed(vhdxImage(more), change);
const vdi = (change: Change) => changed(vdiImage(), change);
const u32 =
  (at: number, value: number): Change =>
  (image) =>
    void image.writeUInt32BE(value, at);
const u64 =
  (at: number, value: number | bigint): Change =>
  (image) =>
    void image.writeBigUInt64BE(BigInt(value), at);
const le32 =
  (at: number, value: number): Change =>
  (image) =>
    void image.writeUInt32LE(value, at);
const le64 =
  (at: number, value: number | bigint): Change =>
  (image) =>
    void image.writeBigUInt64LE(BigInt(value), at);
const all =
  (...changes: readonly Change[]): Change =>
  (image) => {
    for (const change of changes) change(image);
    return undefined;
  };

const backing = (name: string) => all(u64(8, 512), u32(16, name.length), (image) => void image.write(name, 512));
const extension = (type: number, text: string, at = 104): Change =>
  all(u32(at, type), u32(at + 4, text.length), (image) => void image.write(text, at + 8));
const metadata = 2 * 1024 ** 2;

type Case = readonly [what: string, image: Buffer, why: RegExp, format?: DiskFormat, size?: number];

const hostileQcow2: readonly Case[] = [
  ['a backing file', qcow2(backing('/etc/shadow')), /backing file.*\/etc\/shadow/],
  ['a backing file in version 2', qcow2(backing('/etc/shadow'), { version: 2 }), /backing file/],
  ['a json: backing name', qcow2(backing('json:{"driver":"file"}')), /backing file.*json:/],
  ['an nbd: backing name', qcow2(backing('nbd:10.0.0.1:10809')), /backing file.*nbd:/],
  ['a backing name of no length', qcow2(u64(8, 512)), /backing file/],
  ['a backing name outside the file', qcow2(all(u64(8, 2n ** 40n), u32(16, 100))), /backing file/],
  ['a backing file format alone', qcow2(extension(0xe2792aca, 'raw')), /backing file format.*raw/],
  ['an external data file', qcow2(all(u32(76, 4), extension(0x44415441, '/etc/shadow'))), /external data file/],
  ['an external data file by its name alone', qcow2(extension(0x44415441, '/etc/shadow')), /data file.*\/etc\/shadow/],
  ['an external raw data file', qcow2(u32(92, 2)), /external data file/],
  ['a later extension', qcow2(all(extension(1, 'x'), extension(0x44415441, '/etc/shadow', 120))), /external data/],
  ['encryption (AES)', qcow2(u32(32, 1)), /encrypted.*method 1/],
  ['encryption (LUKS)', qcow2(all(u32(32, 2), extension(0x0537be77, 'x'.repeat(16)))), /encrypted/],
  ['an encryption header alone', qcow2(extension(0x0537be77, 'x'.repeat(16))), /encrypted/],
  ['an unknown feature', qcow2(u32(76, 32)), /does not know.*0000000000000020/],
  ['an unknown feature in the upper half', qcow2(u32(72, 1)), /does not know/],
  ['the mark of corruption', qcow2(u32(76, 2)), /corrupt/],
  ['the mark of an open image', qcow2(u32(76, 1)), /not closed/],
  ['an unknown compression', qcow2((image) => all(u32(100, 112))(image) ?? image.fill(7, 104, 105)), /compression/],
  ['version 1', qcow2(u32(4, 1)), /version 1/],
  ['version 4', qcow2(u32(4, 4)), /version 4/],
  ['clusters of 1 byte', qcow2(u32(20, 0)), /clusters/],
  ['clusters of 4 GiB', qcow2(u32(20, 32)), /clusters/],
  ['a short header', qcow2(u32(100, 96)), /header would have 96/],
  ['a header longer than a cluster', qcow2(u32(100, 8192)), /header would have 8192/],
  ['extensions without an end', qcow2((image) => image.fill(1, 104, 4096)), /extensions/],
  [
    '60 TiB in a file of 1.1 MB',
    qcow2(
      all(u64(24, 60n * 2n ** 40n), u32(20, 16), u32(36, 122_880), u64(40, 131_072), u64(48, 65_536), (image) =>
        image.fill(0, 104),
      ),
    ),
    /65970697666560/,
    'qcow2',
    1_150_000,
  ],
  ['2^63 bytes', qcow2(u64(24, 2n ** 63n)), /L1 table/],
  ['no size', qcow2(u64(24, 0)), /no size/],
  ['a huge L1 table', qcow2(u32(36, 0xffffffff)), /L1 table would have 4294967295/],
  ['a far too long L1 table', qcow2(u32(36, 3000)), /L1 table would have 3000 entries where 1073741824 bytes need 512/],
  ['an L1 table that is too small', qcow2(u32(36, 1)), /need 512/],
  ['an L1 table outside the file', qcow2(u64(40, 2n ** 40n)), /L1 table would lie outside/],
  ['an L1 table in the header', qcow2(u64(40, 0)), /L1 table lies where/],
  ['an L1 table off its cluster', qcow2(u64(40, 3 * 4096 + 8)), /L1 table lies where/],
  ['an L1 table over the refcount table', qcow2(u64(40, 4096)), /over each other/],
  ['an L1 entry outside the file', qcow2(u64(3 * 4096 + 8, 2n ** 40n)), /L1 table points outside/],
  ['an L1 entry at the L1 table', qcow2(u64(3 * 4096 + 8, 3 * 4096)), /L1 table points at its own/],
  ['an L1 entry with reserved bits', qcow2(u64(3 * 4096 + 8, 2n ** 60n + 4096n * 4n)), /L1 table points nowhere/],
  ['no refcount table', qcow2(u32(56, 0)), /refcount table would have 0/],
  ['a huge refcount table', qcow2(u32(56, 0xffffffff)), /refcount table would have/],
  ['a refcount table outside the file', qcow2(u64(48, 2n ** 50n)), /refcount table would lie outside/],
  ['refcounts that go in a circle', qcow2(u64(4096, 4096)), /refcount table points at its own/],
  ['refcounts in the header', qcow2(u64(4096, 512)), /refcount table points/],
  ['refcounts outside the file', qcow2(u64(4096 + 8, 2n ** 62n)), /refcount table points outside/],
  ['refcounts of 2^9 bits', qcow2(u32(96, 9)), /refcounts would have 2\^9/],
  ['four billion snapshots', qcow2(u32(60, 0xffffffff)), /4294967295 snapshots/],
  ['snapshots outside the file', qcow2(all(u32(60, 1), u64(64, 2n ** 40n))), /snapshot table would lie outside/],
  [
    'a snapshot whose table is outside the file',
    qcow2(all(u32(60, 1), u64(64, 5 * 4096), u64(5 * 4096, 2n ** 40n))),
    /snapshot would lie outside/,
  ],
  [
    'bitmaps outside the file',
    qcow2(all(u32(104, 0x23852875), u32(108, 24), u32(112, 1), u64(120, 32), u64(128, 2n ** 40n))),
    /list of bitmaps would lie outside/,
  ],
  ['half a header', qcow2Image().subarray(0, 60), /ends within its header|header would lie outside/],
];

const sparse = 'monolithicSparse';
const hostileVmdk: readonly Case[] = [
  [
    'an extent that is a file of the host',
    vmdk(() => undefined, { description: vmdkDescription(sparse, 'RW 2048 FLAT "/etc/shadow" 0') }),
    /extents.*\/etc\/shadow/,
  ],
  [
    'a second extent',
    vmdk(() => undefined, {
      description: vmdkDescription(sparse, 'RW 2048 SPARSE "disk.vmdk"\nRW 8 FLAT "/etc/shadow" 0'),
    }),
    /extents.*shadow/,
  ],
  [
    'an extent with a path',
    vmdk(() => undefined, { description: vmdkDescription(sparse, 'RW 2048 SPARSE "../disk.vmdk"') }),
    /extents/,
  ],
  [
    'a flat disk',
    vmdk(() => undefined, { description: vmdkDescription('monolithicFlat', 'RW 2048 FLAT "disk-flat.vmdk" 0') }),
    /monolithicFlat/,
  ],
  [
    'a disk in pieces',
    vmdk(() => undefined, { description: vmdkDescription('twoGbMaxExtentSparse') }),
    /twoGbMaxExtentSparse/,
  ],
  [
    'a description that is nothing but that',
    Buffer.from(vmdkDescription('monolithicFlat', 'RW 2048 FLAT "/etc/shadow" 0')),
    /description of other files/,
  ],
  ['the same, said to be a vmdk', Buffer.from(vmdkDescription('monolithicFlat')), /description of other files/, 'vmdk'],
  ['a header that stands for a description', vmdk(le64(12, 0)), /description of other files/],
  [
    'the same in the footer',
    vmdk((image) => le64(image.length - 1024 + 12, 0)(image), { stream: true }),
    /description of other files/,
  ],
  [
    'a parent',
    vmdk(() => undefined, { description: vmdkDescription(sparse, undefined, 'parentFileNameHint="/etc/shadow"') }),
    /parent/,
  ],
  [
    'a parent behind the description',
    vmdk((image) => void image.write('parentFileNameHint="/etc/shadow"', 5000)),
    /parent/,
  ],
  [
    'a parent by its id',
    vmdk(() => undefined, { description: vmdkDescription(sparse).replace('ffffffff', '12345678') }),
    /parentCID 12345678/,
  ],
  [
    'a description somewhere else',
    vmdk(all(le64(28, 100), (image) => void image.write(vmdkDescription(sparse), 51_200))),
    /not behind its header/,
  ],
  [
    'encryption',
    vmdk(() => undefined, { description: vmdkDescription(sparse, undefined, 'encryption.keySafe = "x"') }),
    /encrypted/,
  ],
  ['an unknown version', vmdk(le32(4, 4)), /version 4/],
  ['an unknown feature', vmdk(le32(8, 0x100001)), /does not know/],
  ['grains of 0 bytes', vmdk(le64(20, 0)), /grains/],
  ['grains of 2^40 sectors', vmdk(le64(20, 2n ** 40n)), /grains/],
  ['grain tables of another length', vmdk(le32(44, 0xffffffff)), /grain tables/],
  ['an absurd size', vmdk(le64(12, 2n ** 62n)), /outside the file|virtual size/],
  ['a directory outside the file', vmdk(le64(56, 2n ** 40n)), /grain directory would lie outside/],
  ['a directory in the header', vmdk(le64(56, 0)), /over its header/],
  ['a directory that points outside the file', vmdk(le32(22 * 512, 0xfffffff0)), /directory points outside/],
  ['a stream without an end', vmdk((image) => image.subarray(0, image.length - 1536), { stream: true }), /no footer/],
  [
    'a footer of another size',
    vmdk((image) => le64(image.length - 1024 + 12, 4096)(image), { stream: true }),
    /different sizes/,
  ],
];

const hostileVhdx: readonly Case[] = [
  ['a parent', vhdx(le32(metadata + 65_540, 2)), /parent/],
  [
    'a parent locator',
    vhdx((image) => void guidBytes('A8D35F2D-B30B-454D-ABF7-D3D84834AB0C').copy(image, metadata + 96)),
    /parent/,
  ],
  ['writes in its log', vhdx((image) => void image.write('logguid', 65_536 + 48)), /log is not empty/],
  [
    'writes in the log of its second header',
    vhdx((image) => void image.write('logguid', 131_072 + 48)),
    /log is not empty/,
  ],
  [
    'a required region that is not known',
    vhdx((image) => void image.fill(7, 262_144 + 16, 262_144 + 32)),
    /does not know/,
  ],
  [
    'a required item that is not known',
    vhdx((image) => void image.fill(7, metadata + 96, metadata + 112)),
    /does not know/,
  ],
  ['regions outside the file', vhdx(le64(196_608 + 32, 2n ** 50n)), /region would lie outside/],
  ['a region in the header', vhdx(le64(262_144 + 32, 0)), /over its header/],
  ['four billion regions', vhdx(le32(196_608 + 8, 0xffffffff)), /65535 entries|outside/],
  ['an item outside its region', vhdx(le32(metadata + 48, 0xfffffff0)), /outside its region/],
  ['an absurd size', vhdx(() => undefined, { size: 2 ** 50 }), /too small for|virtual size/],
  ['blocks of 3 bytes', vhdx(le32(metadata + 65_536, 3)), /blocks would have 3/],
  ['half of it', vhdxImage().subarray(0, 200_000), /would lie outside/],
];

const hostileVdi: readonly Case[] = [
  ['a difference to a parent', vdi(le32(76, 4)), /parent/],
  ['the id of a parent', vdi(le64(440, 1)), /parent/],
  ['the id of a link', vdi(le64(424, 1)), /parent/],
  ['an unknown kind', vdi(le32(76, 9)), /kind 9/],
  ['an unknown version', vdi(le32(68, 2)), /version 0x2/],
  ['more bytes than blocks', vdi(le64(368, 2n ** 60n)), /do not hold/],
  ['a table outside the file', vdi(all(le32(384, 0x100000), le32(344, 0x500000))), /table of blocks would lie outside/],
  ['a table over its data', vdi(le32(384, 4096)), /over each other/],
  ['blocks of 1 byte', vdi(le32(376, 1)), /blocks would have 1/],
];

const notDisks: readonly Case[] = [
  ['a qcow2 that is said to be raw', qcow2Image(), /qcow2 and not raw/, 'raw'],
  ['a raw disk that is said to be a qcow2', rawImage(), /does not begin as qcow2/, 'qcow2'],
  ['a vdi that is said to be a vmdk', vdiImage(), /vdi and not vmdk/, 'vmdk'],
  ['a VHD', Buffer.concat([Buffer.from('conectix'), Buffer.alloc(1016)]), /a VHD/],
  [
    'a fixed VHD that is said to be raw',
    Buffer.concat([rawImage(), Buffer.from('conectix'), Buffer.alloc(504)]),
    /a VHD/,
    'raw',
  ],
  ['an encrypted disk', Buffer.from(`LUKS\xba\xbe${'\0'.repeat(506)}`, 'latin1'), /encrypted/],
  [
    'an archive',
    (() => {
      const tar = Buffer.alloc(1024);
      tar.write('ustar', 257);
      return tar;
    })(),
    /archive/,
  ],
  ['a web page', Buffer.from('<!DOCTYPE html>'.padEnd(512)), /web page/],
  ['something compressed', Buffer.from('\xfd7zXZ\0'.padEnd(512), 'latin1'), /compressed/],
  ['nothing', Buffer.alloc(0), /empty/],
  ['half a sector', Buffer.alloc(700, 1), /whole number of sectors/, 'raw'],
  ['a raw disk of 65 TiB', rawImage(), /71468255805440/, 'raw', 65 * 2 ** 40],
];

const named = (format: string, cases: readonly Case[]) =>
  cases.map(([what, image, why, said, size]) => ({ name: `a ${format} with ${what}`, image, why, said, size }));

const hostile = [
  ...named('qcow2', hostileQcow2),
  ...named('vmdk', hostileVmdk),
  ...named('vhdx', hostileVhdx),
  ...named('vdi', hostileVdi),
  ...named('file', notDisks),
];

test('the corpus is large enough', () => expect(hostile.length).toBeGreaterThanOrEqual(100));

test.each(hostile)('refused: $name', async ({ image, why, said, size }) => {
  const reading = { bytes: 0, largest: 0 };
  const refused = await vet(image, said, size, reading).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(IngotError);
  const { code, message, hint, detail } = refused as IngotError;
  expect(code).toBe('INPUT_REFUSED');
  expect(message).toMatch(/^the disk image disk\.img is refused: /);
  expect(`${message} ${detail.join(' ')}`).toMatch(why);
  expect(detail[0]).toMatch(/^at: ./);
  expect(hint).toBeDefined();
  expect(reading.largest).toBeLessThanOrEqual(1024 ** 2 + 512);
  expect(reading.bytes).toBeLessThanOrEqual(4 * 1024 ** 2);
});

test.each<[string, Buffer, DiskFormat, number]>([
  ['qcow2', qcow2Image(), 'qcow2', 2 ** 30],
  ['qcow2 of version 2', qcow2Image({ version: 2 }), 'qcow2', 2 ** 30],
  ['vmdk', vmdkImage(), 'vmdk', 2 ** 20],
  ['vmdk as a stream', vmdkImage({ stream: true }), 'vmdk', 2 ** 20],
  ['vhdx', vhdxImage(), 'vhdx', 64 * 2 ** 20],
  ['vdi', vdiImage(), 'vdi', 4 * 2 ** 20],
  ['raw', rawImage(), 'raw', 65_536],
])('accepted: a whole %s, whether its format is said or not', async (_, image, format, virtualSize) => {
  expect(await vet(image)).toEqual({ format, virtualSize });
  expect(await vet(image, format)).toEqual({ format, virtualSize });
});

test('text of an image that is quoted cannot steer a terminal', async () => {
  const refused = vet(qcow2(backing('\x1b[2J\x1b]0;x\x07/etc')));
  await expect(refused).rejects.toMatchObject({ detail: [expect.not.stringMatching(/[\x00-\x1f]/)] });
});

test('an L1 table as large as it may be is looked through piece by piece', async () => {
  const reading = { bytes: 0, largest: 0 };
  const image = qcow2(
    all(u32(20, 16), u64(24, 2n ** 46n), u32(36, 131_072), u64(40, 131_072), u64(48, 65_536), (bytes) =>
      bytes.fill(0, 104),
    ),
  );
  expect(await vet(image, 'qcow2', 2 ** 30, reading)).toEqual({ format: 'qcow2', virtualSize: 2 ** 46 });
  expect(reading.largest).toBeLessThanOrEqual(256 * 1024);
  expect(reading.bytes).toBeGreaterThan(2 ** 20);
});

/** Numbers that break arithmetic. */
const extremes = [0n, 1n, 511n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

const seed = Number(process.env['SEED'] ?? randomBytes(4).readUInt32BE());
let state = seed;
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

/** Change an image at a few places that `place` chooses. */
function mutate(image: Buffer, place: () => number): void {
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const at = Math.min(place(), image.length - 8);
    const value = extremes[random(extremes.length)] ?? 0n;
    if (random(3) === 0) image[at] = random(256);
    else if (random(2) === 0) image.writeUInt32BE(Number(value & 0xffffffffn), at);
    else image.writeBigUInt64LE(value, at);
  }
}

/** Whether a changed image was taken; anything but a refusal is an error. */
async function survives(image: Buffer, round: number): Promise<boolean> {
  const reading = { bytes: 0, largest: 0 };
  const end = await vet(image, undefined, undefined, reading).then(
    () => 'taken',
    (error: unknown) => (error instanceof IngotError ? error.code : inspect(error)),
  );
  expect(['taken', 'INPUT_REFUSED'], `SEED=${seed} round ${round}`).toContain(end);
  expect(reading.bytes, `SEED=${seed} round ${round}`).toBeLessThanOrEqual(8 * 1024 ** 2);
  return end === 'taken';
}

test('whatever is changed in an image, it is taken or refused, and little is read', async () => {
  const originals = [qcow2Image(), qcow2Image({ version: 2 }), vmdkImage(), vmdkImage({ stream: true }), vdiImage()];
  let taken = 0;
  for (let round = 0; round < 4000; round++) {
    const image = Buffer.from(originals[round % originals.length] ?? Buffer.alloc(0));
    mutate(image, () => random(random(2) === 0 ? 112 : 24_000));
    const whole = random(4) > 0;
    if (await survives(whole ? image : image.subarray(0, random(image.length)), round)) taken++;
  }
  expect(taken, `SEED=${seed}`).toBeGreaterThan(100);
});

test('the same of a vhdx, at the places where it has anything', async () => {
  const original = vhdxImage();
  const places = [65_536, 131_072, 196_608, 262_144, metadata, metadata + 65_536];
  let taken = 0;
  for (let round = 0; round < 300; round++) {
    const image = Buffer.from(original);
    mutate(image, () => (places[random(places.length)] ?? 0) + random(128));
    if (await survives(image, round)) taken++;
  }
  expect(taken, `SEED=${seed}`).toBeGreaterThan(10);
});

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-vet-'));
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ['qcow2', 'compat=0.10'],
  ['qcow2', 'compat=1.1,lazy_refcounts=on,cluster_size=2M'],
  ['qcow2', 'cluster_size=512'],
  ['qcow2', 'compression_type=zstd,extended_l2=on'],
  ['qcow2', 'preallocation=metadata,refcount_bits=64'],
  ['vmdk', 'subformat=monolithicSparse'],
  ['vmdk', 'subformat=streamOptimized,adapter_type=lsilogic,compat6'],
  ['vhdx', 'subformat=dynamic'],
  ['vhdx', 'subformat=fixed'],
  ['vdi', 'static=off'],
  ['vdi', 'static=on'],
  ['raw', 'preallocation=off'],
] as const)('what qemu-img writes as %s with %s is accepted', async (format, options) => {
  const raw = join(folder, 'source');
  await writeFile(raw, rawImage());
  await truncate(raw, 20 * 1024 ** 2);
  const path = join(folder, 'made');
  execFileSync('qemu-img', ['convert', '-q', '-f', 'raw', '-O', format, '-o', options, raw, path]);
  const ctx = { host: createHost() } as unknown as Context;
  const vetted = { format, virtualSize: 20 * 1024 ** 2 };
  expect(await vetDisk({ path, name: 'made', format: undefined }, ctx)).toEqual(vetted);
  await symlink(path, `${path}-link`);
  expect(await vetDisk({ path: `${path}-link`, name: 'made', format }, ctx)).toEqual(vetted);
  await rm(`${path}-link`);
});

test('images with a snapshot and a bitmap of their own are whole', async () => {
  const path = join(folder, 'snapshot.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1G']);
  execFileSync('qemu-img', ['snapshot', '-c', 'one', path]);
  execFileSync('qemu-img', ['snapshot', '-c', 'two', path]);
  execFileSync('qemu-img', ['bitmap', '--add', path, 'b0']);
  const ctx = { host: createHost() } as unknown as Context;
  expect(await vetDisk({ path, name: 'x', format: 'qcow2' }, ctx)).toMatchObject({ virtualSize: 2 ** 30 });
});

test('a pipe and a folder are not waited for', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const ctx = { host: createHost() } as unknown as Context;
  for (const path of [join(folder, 'pipe'), folder, join(folder, 'none')]) {
    await expect(vetDisk({ path, name: 'x', format: 'raw' }, ctx)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
});
