import { appendFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { reap, withLedger } from './ledger.ts';
import { type StorePaths, storePaths } from './paths.ts';

let home = '';
let paths: StorePaths;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-ledger-'));
  paths = storePaths(home);
});
afterEach(() => rm(home, { recursive: true }));

const never = new AbortController().signal;

async function work(name: string): Promise<string> {
  const folder = join(paths.work, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'file'), '');
  return folder;
}

/** What a build leaves that was killed. */
async function killed(build: string, ...folders: readonly string[]): Promise<string> {
  const folder = join(paths.builds, build);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'ledger.jsonl'), folders.map((one) => `${JSON.stringify({ folder: one })}\n`).join(''));
  await writeFile(join(folder, 'events.jsonl'), '');
  return folder;
}

test.each([
  ['ends', async () => 'done'],
  ['fails', () => Promise.reject(new Error('broke'))],
])('when a build %s, what it wrote down is gone and so is the ledger', async (_, end) => {
  const outcome = withLedger(paths, 'b1', never, async (ledger) => {
    const folder = join(paths.work, 'b1');
    await ledger.record({ folder });
    await work('b1');
    return end();
  });
  expect(['done', 'broke']).toContain(await outcome.catch((error: Error) => error.message));
  expect(await readdir(paths.work)).toEqual([]);
  expect(await readdir(join(paths.builds, 'b1'))).toEqual([]);
});

test('the next start takes away what a killed build left, keeps its log, and finds nothing the second time', async () => {
  const left = await work('b1');
  const build = await killed('b1', left, join(paths.work, 'never-made'));
  const other = await work('b2');
  expect(await reap(paths)).toBe(1);
  expect(await readdir(paths.work)).toEqual(['b2']);
  expect(await readdir(build)).toEqual(['events.jsonl']);
  expect(await reap(paths)).toBe(0);
  expect(await readdir(other)).toEqual(['file']);
});

test('a build that was killed before it wrote anything down leaves no lock behind', async () => {
  const build = await killed('b1');
  await rm(join(build, 'ledger.jsonl'));
  for (const name of ['ledger.lock', 'ledger.lock-journal']) await writeFile(join(build, name), '');
  expect(await reap(paths)).toBe(1);
  expect(await readdir(build)).toEqual(['events.jsonl']);
});

test('a build that is at work is left alone', async () => {
  await withLedger(paths, 'b1', never, async (ledger) => {
    const folder = await work('b1');
    await ledger.record({ folder });
    expect(await reap(paths)).toBe(0);
    expect(await readdir(folder)).toEqual(['file']);
  });
});

test('a last line that was cut off is nothing, and the others count', async () => {
  const left = await work('b1');
  const build = await killed('b1', left);
  await appendFile(join(build, 'ledger.jsonl'), '{"folder": "/');
  expect(await reap(paths)).toBe(1);
  expect(await readdir(paths.work)).toEqual([]);
});

test('a home that is not there has nothing to take away', async () => {
  expect(await reap(storePaths(join(home, 'none')))).toBe(0);
});
