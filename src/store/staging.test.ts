import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stagingName, sweepStaging } from './staging.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-staging-'));
});
afterEach(() => rm(folder, { recursive: true }));

const day = 86_400;

/** A staging name as another process would have it. */
function nameOf(pid: number, space?: string): string {
  const [own = '', , rest = ''] = stagingName().slice(1).split('-');
  return `.${space ?? own}-${pid}-${rest}`;
}

async function put(name: string, ageSeconds = 0): Promise<void> {
  await writeFile(join(folder, name), '');
  const time = Date.now() / 1000 - ageSeconds;
  await utimes(join(folder, name), time, time);
}

test('what a program that is gone had on its way is taken away, what a living one has stays', async () => {
  const { pid: dead = 0 } = spawnSync('true');
  const staying = [stagingName(), nameOf(process.ppid), 'b1'];
  for (const name of [...staying, nameOf(dead)]) await put(name, 2 * day);
  await sweepStaging(folder, Date.now());
  expect((await readdir(folder)).sort()).toEqual(staying.sort());
});

test('of processes that cannot be asked for, only what is long forgotten goes', async () => {
  const [fresh, old] = [nameOf(1, '42'), nameOf(2, '42')];
  await put(fresh);
  await put(old, 2 * day);
  await sweepStaging(folder, Date.now());
  expect(await readdir(folder)).toEqual([fresh]);
});

test('no two names are the same, and a folder that is not there needs no sweeping', async () => {
  expect(new Set(Array.from({ length: 100 }, stagingName)).size).toBe(100);
  await sweepStaging(join(folder, 'none'), Date.now());
});
