import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../../core/context.ts';
import type { EventBody } from '../../core/events.ts';
import { isLocked } from '../../host/lock.ts';
import { storePaths } from '../../store/paths.ts';
import { LayerLocks } from './layer-locks.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-layer-locks-'));
});
afterEach(() => rm(home, { recursive: true }));

/** One build that waits for locks; `waits` resolves when it has to. */
function build() {
  const stop = new AbortController();
  const told: EventBody[] = [];
  const waiting = Promise.withResolvers<void>();
  const emit = (event: EventBody) => {
    told.push(event);
    waiting.resolve();
  };
  const ctx = { signal: stop.signal, emit, step: '1-shell' } as Context;
  const locks = new LayerLocks(storePaths(home));
  return { hold: (key: string) => locks.hold(key, ctx), locks, stop, told, waits: waiting.promise };
}

const isHeld = (key: string) => isLocked(join(home, 'locks', `layer-${key}.lock`));

test('one lock is held at a time, and holding it again changes nothing', async () => {
  const { hold, locks } = build();
  await hold('a');
  await hold('a');
  expect(isHeld('a')).toBe(true);
  await hold('b');
  await expect.poll(() => isHeld('a')).toBe(false);
  expect(isHeld('b')).toBe(true);
  locks.release();
  locks.release();
  await expect.poll(() => isHeld('b')).toBe(false);
});

test('the next lock is taken before the last one is given back', async () => {
  const [first, second] = [build(), build()];
  await second.hold('b');
  await first.hold('a');
  const next = first.hold('b');
  await first.waits;
  expect(isHeld('a')).toBe(true);
  second.locks.release();
  await next;
  await expect.poll(() => isHeld('a')).toBe(false);
  first.locks.release();
});

test('of two builds with the same first steps the second follows the first, and is told once why it waits', async () => {
  const order: string[] = [];
  const [first, second] = [build(), build()];
  await first.hold('a');
  const follow = async () => {
    for (const key of ['a', 'b', 'c']) {
      await second.hold(key);
      order.push(`second ${key}`);
    }
  };
  const following = follow();
  await second.waits;
  for (const key of ['b', 'c']) {
    await first.hold(key);
    order.push(`first ${key}`);
  }
  first.locks.release();
  await following;
  expect(order.indexOf('first b')).toBeLessThan(order.indexOf('second b'));
  expect(order.indexOf('first c')).toBeLessThan(order.indexOf('second c'));
  expect(second.told[0]).toEqual({
    type: 'log',
    id: '1-shell',
    line: 'another build makes this layer: waiting for it',
  });
  expect(first.told).toEqual([]);
  second.locks.release();
});

test('a wait that is stopped fails, and what was held before is held until it is given back', async () => {
  const [first, second] = [build(), build()];
  await first.hold('b');
  await second.hold('a');
  const next = second.hold('b');
  await second.waits;
  second.stop.abort(new Error('stopped by hand'));
  await expect(next).rejects.toThrow('stopped by hand');
  expect([isHeld('a'), isHeld('b')]).toEqual([true, true]);
  second.locks.release();
  await expect.poll(() => isHeld('a')).toBe(false);
  first.locks.release();
});
