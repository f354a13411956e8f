import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFile } from './open-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-open-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a new file takes the place of an old one, and holes stay between what is written', async () => {
  const path = join(folder, 'a');
  await writeFile(path, 'older and longer');
  const file = await openFile(path, 'new');
  await file.write(8 * 1024 ** 2, Buffer.from('end'));
  await file.write(0, Buffer.from('begin'));
  expect(String(await file.read(0, 5))).toBe('begin');
  await file.close();
  const { size, blocks } = await stat(path);
  expect(size).toBe(8 * 1024 ** 2 + 3);
  expect(blocks * 512).toBeLessThan(1024 ** 2);
});

test('a file is changed in its place, read to its end and cut', async () => {
  const path = join(folder, 'a');
  await writeFile(path, 'abcdef');
  const file = await openFile(path, 'change');
  await file.write(2, Buffer.from('XY'));
  expect(String(await file.read(4, 100))).toBe('ef');
  expect(await file.read(6, 1)).toHaveLength(0);
  await file.truncate(5);
  await file.close();
  expect(await readFile(path, 'utf8')).toBe('abXYe');
});

test('one that is opened for reading cannot be written, and one that is not there cannot be opened', async () => {
  const path = join(folder, 'a');
  await writeFile(path, 'a');
  const file = await openFile(path, 'read');
  await expect(file.write(0, Buffer.from('b'))).rejects.toThrow('EBADF');
  await file.close();
  await expect(openFile(join(folder, 'b'), 'change')).rejects.toThrow('ENOENT');
});
