import { expect, test } from 'vitest';
import type { Context } from '../../core/context.ts';
import { limited, silent, usualSilence } from './install-limits.ts';

/** A clock that moves only when somebody sleeps. */
function clock() {
  let now = 0;
  const end = new AbortController();
  const sleep = async (milliseconds: number) => {
    now += milliseconds;
  };
  const ctx = { host: { monotonic: () => now, sleep }, signal: end.signal } as unknown as Context;
  return { ctx, end, now: () => now };
}

test('an installer that does nothing any more has stalled', async () => {
  const { ctx, now } = clock();
  // It works for a minute.
  const moved = async () => Math.min(now(), 60_000);
  expect(await silent({ milliseconds: 300_000, moved }, ctx)).toMatchObject({
    code: 'TIMEOUT',
    message: 'the installer has stalled: for 5 min it said nothing, and read and wrote nothing',
  });
  expect(now()).toBe(360_000);
});

test('a translated installer may be silent for longer', () => {
  expect(usualSilence({ name: 'kvm', cpu: 'host' })).toBe(300_000);
  expect(usualSilence({ name: 'tcg', cpu: 'max' })).toBe(1_800_000);
});

test('one whose machine is gone is left to those who watch the machine', async () => {
  const { ctx, end } = clock();
  const moved = async () => {
    end.abort();
    throw new Error('QEMU closed its control connection');
  };
  expect(await silent({ milliseconds: 300_000, moved }, ctx)).toBeUndefined();
});

test('what comes first ends the wait; when nothing comes in time that is the error', async () => {
  const { ctx } = clock();
  const never = new Promise(() => undefined);
  const patient = { ...ctx, host: { ...ctx.host, sleep: () => never } } as unknown as Context;
  expect(await limited(1000, [never, Promise.resolve('end')], patient)).toBe('end');
  expect(await limited(7_200_000, [never], ctx)).toMatchObject({
    code: 'TIMEOUT',
    message: 'the installation took longer than its time limit of 120 min',
  });
});
