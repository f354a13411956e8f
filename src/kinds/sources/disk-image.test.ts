import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { qcow2Image, rawImage } from '../../../test/support/disk-images.ts';
import { checksums, sums, sumsSigned, sumsSignedByOther, vendorKeys } from '../../../test/support/signed-lists.ts';
import { type Digest, digestText } from '../../core/digests.ts';
import { IngotError } from '../../core/errors.ts';
import type { Json } from '../../core/keys.ts';
import type { PinContext, SourceContext } from '../../core/kinds.ts';
import { createHost } from '../../host/host.ts';
import { check } from '../../spec/explain.ts';
import { diskImage } from './disk-image.ts';

const url = 'https://a.example/cloud/disk.img';
const sha256 = 'a'.repeat(64);
const checksum = `sha256:${sha256}`;
const list = 'https://a.example/cloud/SHA256SUMS';

test.each<[string, object]>([
  ['a url with its SHA-256', { url, checksum }],
  ['a url with its SHA-512', { url, checksum: `sha512:${'b'.repeat(128)}` }],
  ['a file of this machine', { url: 'file:///srv/disk.qcow2', checksum }],
  ['a url with a list', { url, checksum: { file: list } }],
  ['a list that is signed within', { url, checksum: { file: list, keyring: 'keys/vendor.asc' } }],
  ['a list with a signature', { url, checksum: { file: list, signature: `${list}.gpg`, keyring: 'keys/vendor.gpg' } }],
  ['an artifact with its sidecar', { url, checksum: 'sidecar' }],
  ['a file of the project', { file: 'disks/base.qcow2' }],
  ['a file of the project with a checksum', { file: 'disks/base.raw.xz', checksum, format: 'raw' }],
])('%s is accepted', (_, options) => {
  expect(diskImage.options.safeParse(options).success).toBe(true);
});

test.each<[string, object, RegExp]>([
  ['a url without a checksum', { url }, /needs its `checksum`: sha256:HEX, .*SHA256SUMS.*`sidecar`/],
  ['neither url nor file', { checksum }, /either `url` or `file`/],
  ['url and file', { url, file: 'x', checksum }, /either `url` or `file`/],
  ['a checksum of another kind', { url, checksum: 'md5:abc' }, /expected sha256:/],
  ['a checksum in capitals', { url, checksum: checksum.toUpperCase() }, /expected sha256:/],
  ['a bare digest', { url, checksum: sha256 }, /expected sha256:/],
  ['a signature without keys', { url, checksum: { file: list, signature: `${list}.gpg` } }, /needs `keyring`/],
  ['a sidecar of a project file', { file: 'x', checksum: 'sidecar' }, /`sidecar` is for a `url`/],
  ['a password in the url', { url: 'https://me:word@a.example/x', checksum }, /holds no password/],
  ['another protocol', { url: 'ftp://a.example/x', checksum }, /https:\/\//],
  ['a command in place of a url', { url: '--upload-pack=x', checksum }, /https:\/\//],
  ['a file of another machine', { url: 'file://other/x', checksum }, /file:\/\/\//],
  ['a path that leads out', { file: '../x.qcow2' }, /inside the project/],
  ['a keyring that leads out', { url, checksum: { file: list, keyring: '/etc/x' } }, /inside the project/],
  ['an unknown format', { url, checksum, format: 'vhd' }, /"qcow2", "raw", "vmdk", "vhdx" or "vdi"|one of/],
  ['an unknown key', { url, checksum, sha256 }, /unknown key/],
])('%s is refused with what to write', (_, options, words) => {
  const checked = check(diskImage.options, options);
  const told = 'findings' in checked ? checked.findings.map(({ message, hint }) => `${message} ${hint ?? ''}`) : [];
  expect(told.join('\n')).toMatch(words);
});

const options = (written: object) => diskImage.options.parse(written);

test('project files are told: the disk and the keys', () => {
  expect(diskImage.files?.(options({ file: 'disks/a.qcow2' }))).toEqual(['disks/a.qcow2']);
  expect(diskImage.files?.(options({ url, checksum: { file: list, keyring: 'k.asc' } }))).toEqual(['k.asc']);
  expect(diskImage.files?.(options({ url, checksum }))).toEqual([]);
});

test('the programs it needs are those of what was written', () => {
  const programs = (written: object) => diskImage.tools?.(options(written), 'x86_64').map(({ program }) => program);
  expect(programs({ file: 'a.qcow2' })).toEqual([]);
  expect(programs({ file: 'a.raw.xz' })).toEqual(['xz']);
  expect(programs({ file: 'a.vmdk.bz2' })).toEqual(['bzip2', 'qemu-img', 'bwrap', 'prlimit']);
  expect(programs({ url: 'https://a/b.qcow2', checksum: { file: list, keyring: 'k' } })).toEqual(['gpgv']);
});

test('the title names the file, not its address', () => {
  expect(diskImage.title(options({ url: `${url}?token=x`, checksum }))).toBe('start from disk.img');
  expect(diskImage.title(options({ file: 'disks/my disk.raw' }))).toBe('start from my disk.raw');
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-disk-image-'));
});
afterEach(() => rm(folder, { recursive: true }));

const common = () => ({
  host: createHost(),
  signal: new AbortController().signal,
  emit: () => undefined,
  step: 'source',
  projectFile: (path: string) => join(folder, path),
});

async function pin(written: object, pages: Readonly<Record<string, string>>): Promise<Json | undefined> {
  const read = async (address: string) => {
    const page = pages[address];
    if (page === undefined) throw new IngotError({ code: 'NOT_FOUND', message: address });
    return Buffer.from(page);
  };
  await writeFile(join(folder, 'keys.asc'), vendorKeys);
  return diskImage.pin?.(options(written), 'x86_64', { ...common(), read } satisfies PinContext);
}

const digest = 'sha256:c049f36fddbf181ae185cd688e639795e66ae6dcde0249dc2d9a192e5548bab8';

test('a digest that is looked up becomes the pin', async () => {
  expect(diskImage.asks?.(options({ url, checksum: { file: list } }))).toBe(true);
  expect(await pin({ url, checksum: { file: list } }, { [list]: sums })).toEqual({ url, digest });
  expect(await pin({ url, checksum: 'sidecar' }, { [`${url}.sha256`]: `${sha256}  disk.img\n` })).toEqual({
    url,
    digest: checksum,
  });
});

test('a digest that is written down asks nobody', async () => {
  for (const written of [{ url, checksum }, { file: 'a.qcow2' }]) {
    expect(diskImage.asks?.(options(written))).toBe(false);
    expect(await pin(written, {})).toBeNull();
  }
});

test('with keys only a signed list is believed, detached or within', async () => {
  const signature = `${list}.gpg`;
  const detached = { url, checksum: { file: list, signature, keyring: 'keys.asc' } };
  const within = { url, checksum: { file: list, keyring: 'keys.asc' } };
  expect(await pin(detached, { [list]: sums, [signature]: sumsSigned })).toEqual({ url, digest });
  expect(await pin(within, { [list]: checksums })).toMatchObject({ digest: expect.stringMatching(/^sha512:82d8/) });
  await expect(pin(detached, { [list]: sums, [signature]: sumsSignedByOther })).rejects.toMatchObject({
    code: 'INPUT_REFUSED',
  });
  await expect(pin(within, { [list]: sums })).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
});

type Asked = { readonly url?: string; readonly digest: Digest; readonly name?: string };

/** Run `disk` with a store that has this file under every digest. */
async function disk(
  written: object,
  bytes: Buffer,
  given: { readonly pin?: Json; readonly refused?: IngotError } = {},
) {
  const asked: Asked[] = [];
  const stored = join(folder, 'stored');
  await writeFile(stored, bytes);
  const ctx: SourceContext = {
    ...common(),
    ...{ name: 'base', folder },
    image: () => Promise.reject(new Error('not asked')),
    install: () => Promise.reject(new Error('not asked')),
    fetch: async (address, wanted) => {
      asked.push({ url: address, digest: wanted });
      if (given.refused !== undefined) throw given.refused;
      return stored;
    },
    unpack: async ({ name, digest: wanted, fetch }) => {
      asked.push({ name, digest: wanted });
      return fetch();
    },
  };
  const found = await diskImage.disk?.(options(written), { arch: 'x86_64', pin: given.pin ?? null }, ctx);
  return { found, asked, stored };
}

test('qcow2 and raw are used as they are, after the digest and the look inside', async () => {
  const { found, asked, stored } = await disk({ url, checksum }, qcow2Image());
  expect(found).toEqual({ path: stored, format: 'qcow2' });
  expect(asked).toEqual([
    { name: 'disk.img', digest: { sha256 } },
    { url, digest: { sha256 } },
  ]);
  expect((await disk({ url, checksum, format: 'raw' }, rawImage())).found).toMatchObject({ format: 'raw' });
});

test('a pinned digest is the one that is fetched', async () => {
  const given = { pin: { url, digest: `sha512:${'c'.repeat(128)}` } };
  const { asked } = await disk({ url, checksum: { file: list } }, rawImage(), given);
  expect(asked[1]).toEqual({ url, digest: { sha512: 'c'.repeat(128) } });
});

test('a file of the project is used where it is; with a checksum a verified copy is', async () => {
  await writeFile(join(folder, 'a disk.raw'), rawImage());
  const plain = await disk({ file: 'a disk.raw' }, Buffer.alloc(0));
  expect(plain.found).toEqual({ path: join(folder, 'a disk.raw'), format: 'raw' });
  expect(plain.asked).toEqual([]);
  const checked = await disk({ file: 'a disk.raw', checksum }, rawImage());
  expect(checked.found).toEqual({ path: checked.stored, format: 'raw' });
  expect(checked.asked[1]).toEqual({ url: `file://${folder}/a%20disk.raw`, digest: { sha256 } });
});

test('a compressed file of the project is unpacked under the digest it has', async () => {
  await writeFile(join(folder, 'a.raw.xz'), rawImage());
  const { asked } = await disk({ file: 'a.raw.xz' }, Buffer.alloc(0));
  const own = await createHost().files.sha256(join(folder, 'a.raw.xz'));
  expect(asked.map((one) => digestText(one.digest))).toEqual([`sha256:${own}`]);
});

test.each<[string, object, Buffer, RegExp]>([
  ['format', { url, checksum, format: 'raw' }, qcow2Image(), /qcow2 and not raw/],
  ['name', { url: 'https://a.example/x.qcow2.xz', checksum }, rawImage(), /does not begin as qcow2/],
  ['name in the project', { file: 'stored', format: 'vmdk' }, rawImage(), /does not begin as vmdk/],
])('a disk that is not what its %s says is refused', async (_, written, bytes, why) => {
  await expect(disk(written, bytes)).rejects.toMatchObject({
    code: 'INPUT_REFUSED',
    message: expect.stringMatching(why),
  });
});

test('a hostile disk is refused by the name that the person knows', async () => {
  const hostile = qcow2Image();
  hostile.writeBigUInt64BE(512n, 8);
  hostile.writeUInt32BE(11, 16);
  hostile.write('/etc/shadow', 512);
  await expect(disk({ url, checksum }, hostile)).rejects.toMatchObject({
    code: 'INPUT_REFUSED',
    message: 'the disk image disk.img is refused: it lies on another file (a backing file)',
    detail: ['at: byte 8, "/etc/shadow"'],
  });
});

test('a vmdk becomes a qcow2 in the work folder', async () => {
  await writeFile(join(folder, 'raw'), rawImage());
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', join(folder, 'raw'), join(folder, 'base.vmdk')]);
  const { found } = await disk({ file: 'base.vmdk' }, Buffer.alloc(0));
  expect(found).toEqual({ path: join(folder, 'converted.qcow2'), format: 'qcow2' });
});

test("when a looked-up digest does not fit any more, the way to follow is told; a written one is the person's own", async () => {
  const refused = new IngotError({ code: 'INPUT_REFUSED', message: 'differs', hint: 'own', detail: ['expected x'] });
  const pinned = { pin: { url, digest: checksum }, refused };
  await expect(disk({ url, checksum: { file: list } }, rawImage(), pinned)).rejects.toMatchObject({
    code: 'INPUT_REFUSED',
    hint: expect.stringContaining('ingot pins update'),
    detail: ['expected x'],
  });
  await expect(disk({ url, checksum }, rawImage(), { refused })).rejects.toBe(refused);
});
