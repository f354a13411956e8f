import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { linkOrCopy, linkTarget, makeDurableFolder, moveFolder, swapLink, writeDurable } from './durable.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-durable-'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (...parts: readonly string[]) => join(folder, ...parts);

test('a file appears whole in a folder that is made for it, and replaces what was there', async () => {
  await writeDurable({ path: at('a', 'b', 'file'), staging: at('work') }, 'one');
  await writeDurable({ path: at('a', 'b', 'file'), staging: at('work') }, 'two');
  expect(await readFile(at('a', 'b', 'file'), 'utf8')).toBe('two');
  expect(await readdir(at('a', 'b'))).toEqual(['file']);
});

test('a write that fails leaves what was there and nothing beside it', async () => {
  await mkdir(at('taken', 'full'), { recursive: true });
  await expect(writeDurable({ path: at('taken'), staging: at('work') }, 'x')).rejects.toMatchObject({ code: 'EISDIR' });
  expect(await readdir(folder)).toEqual(['taken', 'work']);
  expect(await readdir(at('work'))).toEqual([]);
});

test('folders are made with all above them, and once more is no error', async () => {
  await makeDurableFolder(at('a', 'b', 'c'));
  await makeDurableFolder(at('a', 'b', 'c'));
  expect((await stat(at('a', 'b', 'c'))).isDirectory()).toBe(true);
});

test('a folder moves to its place; where one is already, the first one stays', async () => {
  for (const name of ['one', 'two']) {
    await mkdir(at(name));
    await writeFile(at(name, 'file'), name);
  }
  expect(await moveFolder(at('one'), at('x', 'place'))).toBe(true);
  expect(await moveFolder(at('two'), at('x', 'place'))).toBe(false);
  expect(await readFile(at('x', 'place', 'file'), 'utf8')).toBe('one');
  expect(await readdir(folder)).toEqual(['two', 'x']);
});

test('a link is pointed somewhere else in one step, and leaves no other', async () => {
  await swapLink({ path: at('x', 'link'), staging: at('work') }, 'one');
  await swapLink({ path: at('x', 'link'), staging: at('work') }, 'two');
  expect(await linkTarget(at('x', 'link'))).toBe('two');
  expect(await readdir(at('x'))).toEqual(['link']);
});

test('a folder is never replaced by a link', async () => {
  await mkdir(at('x', 'folder'), { recursive: true });
  await expect(swapLink({ path: at('x', 'folder'), staging: at('work') }, 'one')).rejects.toMatchObject({
    code: 'EISDIR',
  });
  expect(await readdir(at('x'))).toEqual(['folder']);
});

test('what is no link, or is not there, points nowhere', async () => {
  await writeFile(at('file'), '');
  await symlink('gone', at('dangling'));
  expect([await linkTarget(at('file')), await linkTarget(at('none')), await linkTarget(at('file', 'below'))]).toEqual([
    ...[undefined, undefined, undefined],
  ]);
  expect(await linkTarget(at('dangling'))).toBe('gone');
});

test('a second name has the same bytes', async () => {
  await writeFile(at('file'), 'bytes');
  await linkOrCopy(at('file'), at('second'));
  expect(await readFile(at('second'), 'utf8')).toBe('bytes');
  await expect(linkOrCopy(at('none'), at('third'))).rejects.toMatchObject({ code: 'ENOENT' });
});
