import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dropLayer, findLayer, hasLayer, packedFile, saveLayer } from './layers.ts';
import { type StorePaths, storePaths } from './paths.ts';

let home = '';
let paths: StorePaths;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-layers-'));
  paths = storePaths(home);
});
afterEach(() => rm(home, { recursive: true }));

async function save(key: string, text: string): Promise<void> {
  const folder = join(home, 'work', text);
  await mkdir(folder, { recursive: true });
  await writeFile(packedFile(folder), text);
  await saveLayer(paths, key, folder, { title: 'a step', removed: ['./gone'], seconds: 2 });
}

test('a layer is found by its key as it was saved, and its work folder is gone', async () => {
  expect(hasLayer(paths, 'k')).toBe(false);
  expect(await findLayer(paths, 'k', 0)).toBeUndefined();
  await save('k', 'bytes');
  expect(hasLayer(paths, 'k')).toBe(true);
  const found = await findLayer(paths, 'k', 5_000_000);
  expect(found).toMatchObject({ title: 'a step', removed: ['./gone'], seconds: 2, bytes: 5 });
  expect(await readFile(found?.file ?? '', 'utf8')).toBe('bytes');
  expect((await stat(join(paths.layers, 'k', 'layer.json'))).mtimeMs).toBe(5_000_000);
  expect(await readdir(join(home, 'work'))).toEqual([]);
});

test('of two savings under one key the first stays, and neither leaves anything', async () => {
  await save('k', 'first');
  await save('k', 'second');
  expect(await readFile((await findLayer(paths, 'k', 0))?.file ?? '', 'utf8')).toBe('first');
  expect(await readdir(join(home, 'work'))).toEqual([]);
  expect(await readdir(paths.layers)).toEqual(['k']);
});

test.each<[string, (folder: string) => Promise<void>]>([
  ['bytes', (folder) => truncate(packedFile(folder), 2)],
  ['file', (folder) => rm(packedFile(folder))],
  ['record', (folder) => writeFile(join(folder, 'layer.json'), '{"sche')],
])('a layer that lost its %s is not found, and can be made again once dropped', async (_, damage) => {
  await save('k', 'bytes');
  await damage(join(paths.layers, 'k'));
  expect(await findLayer(paths, 'k', 0)).toBeUndefined();
  await dropLayer(paths, 'k');
  expect(hasLayer(paths, 'k')).toBe(false);
  await save('k', 'again');
  expect(await findLayer(paths, 'k', 0)).toMatchObject({ bytes: 5 });
});
