import { access, link, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { manifestOf } from '../../test/support/manifests.ts';
import { chooseOld, takeAway, takeStock } from './collect.ts';
import type { Holding } from './holding.ts';
import { withLedger } from './ledger.ts';
import { type StorePaths, storePaths } from './paths.ts';

const day = 86_400_000;
const now = Date.now();
const { signal } = new AbortController();

let home = '';
let paths: StorePaths;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-collect-'));
  paths = storePaths(home);
});
afterEach(() => rm(home, { recursive: true }));

/** A file that was last used so many days ago, its folder too. */
async function put(path: string, days: number, text = 'x'): Promise<void> {
  const folder = join(path, '..');
  const then = (now - days * day) / 1000;
  await mkdir(folder, { recursive: true });
  await writeFile(path, text);
  await utimes(path, then, then);
  await utimes(folder, then, then);
}

async function putBuild(id: string, days: number): Promise<void> {
  const text = JSON.stringify(manifestOf(id, { image: 'lab' }));
  await put(join(paths.artifacts, 'images/lab/.builds', `x86_64-${id}`, 'manifest.json'), days, text);
}

const stock = () => takeStock(paths, now);
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
const staying = (all: readonly Holding[]) => Object.fromEntries(all.map(({ name, stays }) => [name, stays]));

test('everything that can be made again is found with its size and last use, the longest unused first', async () => {
  const title = JSON.stringify({ title: 'install "vim"', removed: [] });
  await put(join(paths.layers, 'a'.repeat(64), 'layer.json'), 3, title);
  await put(join(paths.packages, 'b'.repeat(64), 'file'), 5);
  await put(join(paths.packages, 'latest', 'index'), 4);
  await put(join(paths.inputs, 'c'), 2);
  await put(join(paths.builds, '20261101-1', 'events.jsonl'), 1);
  const all = await stock();
  expect(all.map(({ what, name }) => `${what} ${name}`)).toEqual([
    `package ${'b'.repeat(64)}`,
    'package index',
    'layer aaaaaaaaaaaa install "vim"',
    'input c',
    'build log 20261101-1',
  ]);
  expect(all.every(({ bytes, stays }) => bytes > 0 && stays === undefined)).toBe(true);
  expect(all[0]?.usedMs).toBeCloseTo(now - 5 * day, -1);
});

/** A layer of blocks that lies on another, last used so many days ago. */
async function putDisk(key: string, days: number, below?: string): Promise<string> {
  const disk = { id: `id of ${key}`, ...(below === undefined ? {} : { below: `id of ${below}` }) };
  const file = join(paths.layers, key, 'disk.img');
  await put(file, days, 'x'.repeat(8192));
  await put(join(paths.layers, key, 'layer.json'), days, JSON.stringify({ title: `step ${key}`, disk }));
  return file;
}

async function putState(key: string, days: number, disk: string): Promise<void> {
  const folder = join(paths.states, 'web-x86_64', key);
  await put(join(folder, 'state.zst'), days, 'memory');
  await put(join(folder, 'state.json'), days, JSON.stringify({ shape: 'q35', disk, bytes: 6 }));
}

const shown = (list: readonly Holding[]) => list.map(({ what, name }) => `${what} ${name}`);

test('kept files and saved states of guests are found by themselves', async () => {
  await putDisk('base', 4);
  await putState('base', 3, 'id of base');
  await put(join(paths.kept, 'unpacked1'), 2);
  expect(shown(await stock())).toEqual([
    'layer base step base',
    'saved state web-x86_64 step base',
    'kept file unpacked1',
  ]);
});

test('a state that fits no layer, or is half of one, is a leftover', async () => {
  await putDisk('base', 4);
  await putState('base', 3, 'an earlier base');
  await putState('gone', 2, 'id of gone');
  await put(join(paths.states, 'web-x86_64', 'half', 'state.zst'), 1);
  await put(join(paths.states, 'web-x86_64', '.x.doomed', 'state.zst'), 0.5);
  const gone = chooseOld(await stock(), {});
  expect(shown(gone)).toEqual([
    'leftover web-x86_64 step base',
    'leftover web-x86_64 gone',
    'leftover web-x86_64 half',
    'leftover .x.doomed',
  ]);
});

test('of layers that lie on each other the highest goes first', async () => {
  await putDisk('base', 3);
  await putDisk('one', 2, 'base');
  await putDisk('two', 1, 'one');
  await putDisk('other', 2.5, 'base');
  const order = (await stock()).map(({ path }) => path.split('/').at(-1));
  expect(order).toEqual(['other', 'two', 'one', 'base']);
});

test('a layer of blocks without what it lies on is a leftover, and all on top of it', async () => {
  await putDisk('base', 3);
  await putDisk('one', 2, 'replaced');
  await putDisk('two', 1, 'one');
  expect(shown(chooseOld(await stock(), {}))).toEqual(['leftover two step two', 'leftover one step one']);
});

test('a file of several names counts once, where it lies longest', async () => {
  const file = await putDisk('base', 3);
  await putBuild('1', 9);
  const folder = join(paths.artifacts, 'images/lab/.builds', 'x86_64-1');
  await link(file, join(folder, 'lab.qcow2'));
  await put(join(folder, 'manifest.json'), 9, JSON.stringify(manifestOf('1', { image: 'lab' })));
  const sizes = async () => {
    const bytes = Object.fromEntries((await stock()).map(({ what, bytes }) => [what, bytes]));
    return { layer: bytes['layer'] ?? 0, build: bytes['finished build'] ?? 0 };
  };
  const shared = await sizes();
  expect(shared.layer).toBeLessThan(shared.build);
  await rm(join(folder, 'lab.qcow2'));
  const apart = await sizes();
  expect([apart.layer - shared.layer, shared.build - apart.build]).toEqual([8192, 8192]);
});

test('the current build and the newest two stay, whatever their age', async () => {
  for (const [id, days] of [
    ['1', 50],
    ['2', 40],
    ['3', 30],
    ['4', 20],
  ] as const)
    await putBuild(id, days);
  await symlink('.builds/x86_64-1', join(paths.artifacts, 'images/lab/x86_64'));
  expect(staying(await stock())).toEqual({
    'lab@1 x86_64': 'current',
    'lab@2 x86_64': undefined,
    'lab@3 x86_64': 'newest',
    'lab@4 x86_64': 'newest',
  });
});

test('what a running build used since it began stays, and so do its logs and its work', async () => {
  await put(join(paths.inputs, 'old'), 9);
  await put(join(paths.work, 'dead', 'disk.raw'), 9);
  await withLedger(paths, 'alive', signal, async () => {
    const began = now - 2 * day;
    await utimes(join(paths.builds, 'alive', 'ledger.lock'), began / 1000, began / 1000);
    await put(join(paths.inputs, 'used'), 1);
    await put(join(paths.work, 'alive', 'disk.raw'), 9);
    await put(join(paths.builds, 'alive', 'events.jsonl'), 9);
    expect(staying(await stock())).toEqual({ old: undefined, dead: undefined, used: 'in use', alive: 'in use' });
  });
});

test('what was used within the last minute stays: a build may just be starting with it', async () => {
  await put(join(paths.inputs, 'a'), 0);
  expect(staying(await stock())).toEqual({ a: 'in use' });
});

test('what killed programs left half written is taken away without any limit', async () => {
  await put(join(paths.layers, '.x.doomed', 'layer.json'), 1);
  await put(join(paths.history, '.y.partial'), 1);
  await put(join(paths.inputs, 'whole'), 1);
  const gone = chooseOld(await stock(), {});
  expect(gone.map(({ what, name }) => `${what} ${name}`).sort()).toEqual(['leftover .x.doomed', 'leftover .y.partial']);
});

test('something is taken away whole', async () => {
  await put(join(paths.layers, 'a', 'layer.json'), 3);
  const [layer] = await stock();
  expect(layer && (await takeAway(layer))).toBe(true);
  expect(await readdir(paths.layers)).toEqual([]);
});

test('something that was used since stock was taken stays', async () => {
  const record = join(paths.layers, 'a', 'layer.json');
  await put(record, 3);
  const [layer] = await stock();
  await utimes(record, now / 1000, now / 1000);
  expect(layer && (await takeAway(layer))).toBe(false);
  expect(await exists(record)).toBe(true);
});

function entry(name: string, usedMs: number, bytes: number): Holding {
  return { what: 'layer', name, path: `/l/${name}`, bytes, usedMs };
}

const all = [entry('a', 100, 10), entry('b', 200, 20), entry('c', 300, 30)];
const names = (list: readonly Holding[]) => list.map(({ name }) => name);

test('without limits nothing goes', () => {
  expect(chooseOld(all, {})).toEqual([]);
});

test('what was not used since a moment goes', () => {
  expect(names(chooseOld(all, { usedBeforeMs: 300 }))).toEqual(['a', 'b']);
});

test('the longest unused goes until few enough bytes are left', () => {
  expect(names(chooseOld(all, { keepBytes: 50 }))).toEqual(['a']);
  expect(names(chooseOld(all, { keepBytes: 49 }))).toEqual(['a', 'b']);
  expect(names(chooseOld(all, { keepBytes: 0 }))).toEqual(['a', 'b', 'c']);
});

test('what has to stay counts, and does not go', () => {
  const kept = [{ ...entry('z', 50, 100), stays: 'current' }, ...all];
  expect(names(chooseOld(kept, { keepBytes: 130 }))).toEqual(['a', 'b']);
});

test('with both limits, either is reason enough', () => {
  expect(names(chooseOld(all, { usedBeforeMs: 150, keepBytes: 40 }))).toEqual(['a', 'b']);
});
