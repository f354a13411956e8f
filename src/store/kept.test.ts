import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHost } from '../host/host.ts';
import { keptFile } from './kept.ts';
import { type StorePaths, storePaths } from './paths.ts';

let home = '';
let paths: StorePaths;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-kept-'));
  paths = storePaths(home);
});
afterEach(() => rm(home, { recursive: true }));

const ctx = { host: createHost(), signal: new AbortController().signal, emit: () => undefined, step: 'test' };

test('a file is made once, however many ask for it at once and later', async () => {
  let made = 0;
  const make = (file: string) => writeFile(file, `made ${++made}`);
  const found = await Promise.all(Array.from({ length: 5 }, () => keptFile(paths, 'abc', make, ctx)));
  expect([...new Set(found)]).toEqual([join(paths.kept, 'abc')]);
  expect(await readFile(await keptFile(paths, 'abc', make, ctx), 'utf8')).toBe('made 1');
  expect(await readFile(await keptFile(paths, 'other', make, ctx), 'utf8')).toBe('made 2');
});

test('one that could not be made leaves nothing and is made by the next who asks', async () => {
  const half = async (file: string) => {
    await writeFile(file, 'half');
    throw new Error('no network');
  };
  await expect(keptFile(paths, 'abc', half, ctx)).rejects.toThrow('no network');
  expect(await readdir(paths.kept)).toEqual([]);
  const path = await keptFile(paths, 'abc', (file) => writeFile(file, 'whole'), ctx);
  expect(await readFile(path, 'utf8')).toBe('whole');
});
