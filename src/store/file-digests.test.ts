import { randomBytes } from 'node:crypto';
import { link, mkdtemp, open, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rememberedDigest } from './file-digests.ts';
import { storePaths } from './paths.ts';

let folder = '';
let asked = 0;
const disk = () => join(folder, 'disk.raw');
const large = randomBytes(8 * 1024 * 1024);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-digests-'));
  asked = 0;
  await writeFile(disk(), large);
});
afterEach(() => rm(folder, { recursive: true }));

/** By default a minute after all that happens here. */
function ask(nowMs = Date.now() + 60_000): Promise<string> {
  const compute = async () => {
    asked += 1;
    return `digest-${asked}`;
  };
  return rememberedDigest(storePaths(folder), disk(), { nowMs, compute });
}

test('a large file is read once while it stays as it is', async () => {
  expect([await ask(), await ask()]).toEqual(['digest-1', 'digest-1']);
});

test('whatever changes it, it is read again, though its length and its time of writing are put back', async () => {
  await ask();
  const { atime, mtime } = await stat(disk());
  const handle = await open(disk(), 'r+');
  await handle.write(Buffer.from([1, 2, 3]), 0, 3, 100);
  await handle.close();
  await utimes(disk(), atime, mtime);
  expect(await ask()).toBe('digest-2');
  await writeFile(join(folder, 'other'), large);
  await utimes(join(folder, 'other'), atime, mtime);
  await rename(join(folder, 'other'), disk());
  expect(await ask()).toBe('digest-3');
  await link(disk(), join(folder, 'second'));
  expect(await ask()).toBe('digest-4');
});

test('a file that was just written is not remembered: the next change may not show', async () => {
  expect([await ask(Date.now()), await ask(Date.now())]).toEqual(['digest-1', 'digest-2']);
});

test('a small file leaves no record, and a broken record is none', async () => {
  await ask();
  const [record] = await readdir(storePaths(folder).pins);
  await writeFile(join(storePaths(folder).pins, record ?? ''), 'half');
  expect(await ask()).toBe('digest-2');
  await rm(storePaths(folder).pins, { recursive: true });
  await writeFile(disk(), 'small');
  await ask();
  expect(await readdir(storePaths(folder).pins).catch(() => [])).toEqual([]);
});
