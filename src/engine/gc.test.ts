import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StorePaths, storePaths } from '../store/paths.ts';
import { collectGarbage } from './gc.ts';

const day = 86_400;
const host = { now: () => Date.now() };
const { signal } = new AbortController();

let home = '';
let paths: StorePaths;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-gc-'));
  paths = storePaths(home);
  await putInput('old', 40, 8192);
  await putInput('recent', 2, 8192);
});
afterEach(() => rm(home, { recursive: true }));

async function putInput(name: string, days: number, bytes: number): Promise<void> {
  await mkdir(paths.inputs, { recursive: true });
  await writeFile(join(paths.inputs, name), Buffer.alloc(bytes, 1));
  const then = host.now() / 1000 - days * day;
  await utimes(join(paths.inputs, name), then, then);
}

test('without a limit, what was not used for 30 days goes', async () => {
  const result = await collectGarbage(paths, { dryRun: false }, host, signal);
  expect(result).toMatchObject({ removed: [{ what: 'input', name: 'old', bytes: 8192 }], freedBytes: 8192 });
  expect(result.keptBytes).toBe(8192);
  expect(Math.round((result.removed[0]?.unusedSeconds ?? 0) / day)).toBe(40);
  expect(await readdir(paths.inputs)).toEqual(['recent']);
});

test('a dry run says the same and takes nothing', async () => {
  const { removed } = await collectGarbage(paths, { dryRun: true }, host, signal);
  expect(removed.map(({ name }) => name)).toEqual(['old']);
  expect((await readdir(paths.inputs)).sort()).toEqual(['old', 'recent']);
});

test('a size to keep does not ask for the age', async () => {
  const { removed } = await collectGarbage(paths, { dryRun: true, keepBytes: 100_000 }, host, signal);
  expect(removed).toEqual([]);
  const all = await collectGarbage(paths, { dryRun: false, keepBytes: 0 }, host, signal);
  expect(all.removed.map(({ name }) => name)).toEqual(['old', 'recent']);
  expect(all.keptBytes).toBe(0);
});

test('what a killed build recorded is cleaned up first', async () => {
  const folder = join(paths.work, 'killed');
  await mkdir(folder, { recursive: true });
  await mkdir(join(paths.builds, 'killed'), { recursive: true });
  await writeFile(join(paths.builds, 'killed', 'ledger.jsonl'), `${JSON.stringify({ folder })}\n`);
  await collectGarbage(paths, { dryRun: false }, host, signal);
  expect(await readdir(paths.work)).toEqual([]);
});
