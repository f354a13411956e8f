import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isLocked, withLock } from './lock.ts';

let folder = '';
let path = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-lock-'));
  path = join(folder, 'locks', 'one.lock');
});
afterEach(() => rm(folder, { recursive: true }));

const never = new AbortController().signal;

/** Another process that holds the lock until it is killed. */
async function holder() {
  const module = join(import.meta.dirname, 'lock.ts');
  const text = `import { withLock } from ${JSON.stringify(module)};
await withLock(${JSON.stringify(path)}, { signal: new AbortController().signal }, () => {
  console.log('held');
  setInterval(() => {}, 1000);
  return new Promise(() => {});
});`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('of many tasks one at a time holds a lock, and all get their turn', async () => {
  let [inside, most, done] = [0, 0, 0];
  const work = () =>
    withLock(path, { signal: never }, async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise(setImmediate);
      inside -= 1;
      done += 1;
    });
  await Promise.all(Array.from({ length: 5 }, work));
  expect([most, done]).toEqual([1, 5]);
});

test('a lock is free after a failure, which is passed on', async () => {
  await expect(withLock(path, { signal: never }, () => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
  expect(isLocked(path)).toBe(false);
  expect(await withLock(path, { signal: never }, async () => 'mine')).toBe('mine');
});

test('another process excludes us, is told of once, and its lock is free the moment it is killed', async () => {
  const other = await holder();
  expect(isLocked(path)).toBe(true);
  let told = 0;
  const onWait = () => {
    told += 1;
    other.kill('SIGKILL');
  };
  expect(await withLock(path, { signal: never, onWait }, async () => 'mine')).toBe('mine');
  expect(told).toBe(1);
});

test('a wait that is stopped fails with the reason, and the lock goes to nobody', async () => {
  const stop = new AbortController();
  let isTaken = false;
  await withLock(path, { signal: never }, async () => {
    const onWait = () => stop.abort(new Error('stopped by hand'));
    const waiting = withLock(path, { signal: stop.signal, onWait }, async () => (isTaken = true));
    await expect(waiting).rejects.toThrow('stopped by hand');
    expect(isLocked(path)).toBe(true);
  });
  expect(isTaken).toBe(false);
});
