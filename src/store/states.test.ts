import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StorePaths, storePaths } from './paths.ts';
import { dropState, findState, keepState, type StateId, stateFile } from './states.ts';

let home = '';
let paths: StorePaths;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-states-'));
  paths = storePaths(home);
});
afterEach(() => rm(home, { recursive: true }));

const id = (key: string, image = 'web'): StateId => ({ image, arch: 'x86_64', key });

async function keep(one: StateId, text = 'memory', beside: readonly string[] = []): Promise<void> {
  const folder = join(home, 'work', 'state');
  await mkdir(join(folder, 'login'), { recursive: true });
  await writeFile(stateFile(folder), text);
  await writeFile(join(folder, 'login', 'key'), 'private');
  await keepState(paths, one, { folder, shape: 'q35', disk: `disk of ${one.key}` }, beside);
}

const kept = (image = 'web') => readdir(join(paths.states, `${image}-x86_64`));

test('a state is found by image and key as it was kept, and its work folder is gone', async () => {
  expect(await findState(paths, id('k'), 0)).toBeUndefined();
  await keep(id('k'));
  const found = await findState(paths, id('k'), 5_000_000);
  expect(found).toMatchObject({ shape: 'q35', disk: 'disk of k' });
  expect(await readFile(stateFile(found?.folder ?? ''), 'utf8')).toBe('memory');
  expect(await readFile(join(found?.folder ?? '', 'login', 'key'), 'utf8')).toBe('private');
  expect((await stat(join(found?.folder ?? '', 'state.json'))).mtimeMs).toBe(5_000_000);
  expect(await readdir(join(home, 'work'))).toEqual([]);
  expect(await findState(paths, id('k', 'other'), 0)).toBeUndefined();
  expect(await findState(paths, { ...id('k'), arch: 'aarch64' }, 0)).toBeUndefined();
});

test('a newer state takes the place of an older one', async () => {
  await keep(id('k'), 'first');
  await keep(id('k'), 'second');
  expect(await readFile(stateFile((await findState(paths, id('k'), 0))?.folder ?? ''), 'utf8')).toBe('second');
});

test('only what is named stays beside a new state, of this image alone', async () => {
  await keep(id('a'));
  await keep(id('other', 'db'));
  await keep(id('b'), 'memory', ['a']);
  expect((await kept()).sort()).toEqual(['a', 'b']);
  await keep(id('c'), 'memory', ['b']);
  expect((await kept()).sort()).toEqual(['b', 'c']);
  await keep(id('d'));
  expect(await kept()).toEqual(['d']);
  expect(await kept('db')).toEqual(['other']);
});

test('a dropped state is gone, and dropping none is no error', async () => {
  await keep(id('k'));
  await dropState(paths, id('k'));
  await dropState(paths, id('k'));
  expect(await findState(paths, id('k'), 0)).toBeUndefined();
});

test.each<[string, (folder: string) => Promise<void>]>([
  ['end', (folder) => truncate(stateFile(folder), 2)],
  ['memory', (folder) => rm(stateFile(folder))],
  ['record', (folder) => rm(join(folder, 'state.json'))],
  ["record's end", (folder) => writeFile(join(folder, 'state.json'), '{"sche')],
])('a state that lost its %s is not found, and another can be kept', async (_, damage) => {
  await keep(id('k'));
  await damage(join(paths.states, 'web-x86_64', 'k'));
  expect(await findState(paths, id('k'), 0)).toBeUndefined();
  await keep(id('k'), 'again');
  expect(await findState(paths, id('k'), 0)).toMatchObject({ shape: 'q35' });
});
