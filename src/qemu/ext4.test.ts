import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, open, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openExt4, type Read } from './ext4.ts';

let folder = '';
const at = 1_795_000_000;
/** Longer than twelve blocks of a kibibyte, and than those that one more block can name. */
const big = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 7 + (i >> 8)) % 251));
const farLink = `/${'long/'.repeat(20)}end`;
const many = Array.from({ length: 600 }, (_, i) => `many/a-rather-long-name-of-a-file-${i}`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-ext4-'));
  const tree = join(folder, 'tree');
  for (const name of ['etc', 'deep/er/est', 'many', 'ämter']) await mkdir(join(tree, name), { recursive: true });
  const texts = { 'etc/hostname': 'web\n', 'deep/er/est/file': 'x', empty: '', 'ämter/größe': 'ß' };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(tree, name), text);
  for (const name of many) await writeFile(join(tree, name), '');
  await writeFile(join(tree, 'big'), big);
  const sparse = await open(join(tree, 'sparse'), 'w');
  await sparse.write('end', 3_000_000);
  await sparse.close();
  await symlink('etc/hostname', join(tree, 'near'));
  await symlink(farLink, join(tree, 'far'));
  await chmod(join(tree, 'etc/hostname'), 0o4750);
  await utimes(join(tree, 'etc/hostname'), at, at);
  await utimes(join(tree, 'empty'), at, at);
});
afterAll(() => rm(folder, { recursive: true }));

/** The tree as a file system in a file. */
function imageOf(...options: readonly string[]): string {
  const image = join(folder, `image-${options.join('').replace(/\W/g, '')}`);
  const args = ['-q', '-F', '-t', 'ext4', '-d', join(folder, 'tree'), ...options, image, '16M'];
  execFileSync('mke2fs', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return image;
}

/** The same, somewhere on a disk. */
async function onDisk(image: string): Promise<{ readonly read: Read; readonly start: number }> {
  const bytes = await readFile(image);
  const start = 1_048_576;
  return { read: async (offset, length) => bytes.subarray(offset - start, offset - start + length), start };
}

const volume = (...options: readonly string[]) => onDisk(imageOf(...options));

const kinds = [
  ['as it is made today', []],
  ['with blocks of 1 KiB', ['-b', '1024']],
  ['without extents', ['-O', '^extents,^64bit', '-b', '1024']],
  ['with small inodes', ['-I', '128', '-O', '^metadata_csum']],
] as const;

test.each(kinds)('an ext4 %s is listed', async (_, options) => {
  const { read, start } = await volume(...options);
  const found = await openExt4(read, start);
  const entries = new Map<string, { readonly type: string }>();
  for await (const entry of found?.list() ?? []) entries.set(entry.path, entry);
  expect(entries.get('/etc/hostname')).toMatchObject({ type: 'f', mode: 0o4750, size: 4, changed: at });
  expect(entries.get('/near')).toMatchObject({ type: 'l', target: 'etc/hostname' });
  expect(entries.get('/far')).toMatchObject({ type: 'l', target: farLink });
  expect(entries.get('/deep/er/est')).toMatchObject({ type: 'd' });
  expect(entries.get('/sparse')).toMatchObject({ type: 'f', size: 3_000_003 });
  expect(entries.has(`/${Buffer.from('ämter/größe').toString('latin1')}`)).toBe(true);
  expect(many.filter((name) => !entries.has(`/${name}`))).toEqual([]);
  // And what the tree has besides: lost+found.
  expect(entries.size).toBe(many.length + 7 + 6 + 2);
});

test.each(kinds)('files of an ext4 %s are read', async (_, options) => {
  const { read, start } = await volume(...options);
  const found = await openExt4(read, start);
  expect((await found?.read('/big'))?.equals(big)).toBe(true);
  expect((await found?.read('/sparse'))?.equals(Buffer.concat([Buffer.alloc(3_000_000), Buffer.from('end')]))).toBe(
    true,
  );
  expect((await found?.read('/etc/hostname'))?.toString()).toBe('web\n');
  for (const path of ['/near', '/etc', '/nothing', '/etc/hostname/x']) expect(await found?.read(path)).toBeUndefined();
});

test('times after 2038 are told where inodes have room for them', async () => {
  const image = imageOf();
  execFileSync('debugfs', ['-w', '-R', 'set_inode_field /empty mtime_extra 1', image], { stdio: 'ignore' });
  const { read, start } = await onDisk(image);
  const found = await openExt4(read, start);
  const times = new Map<string, number>();
  for await (const entry of found?.list() ?? []) times.set(entry.path, entry.changed);
  expect([times.get('/empty'), times.get('/etc/hostname')]).toEqual([at + 2 ** 32, at]);
});

test.each([
  ['holds a journal to be replayed', 0x4],
  ['keeps data in inodes', 0x8000],
  ['is encrypted', 0x10000],
])('a file system that %s is not read', async (_, feature) => {
  const { read, start } = await volume();
  const changed: Read = async (offset, length) => {
    const bytes = Buffer.from(await read(offset, length));
    if (offset === start + 1024) bytes.writeUInt32LE(bytes.readUInt32LE(0x60) | feature, 0x60);
    return bytes;
  };
  expect(await openExt4(changed, start)).toBeUndefined();
});

test('what is none is not read', async () => {
  expect(await openExt4(async (_, length) => Buffer.alloc(length), 0)).toBeUndefined();
  expect(await openExt4(async () => Buffer.alloc(0), 0)).toBeUndefined();
});
