import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Host } from './host.ts';
import { within } from './within.ts';

/** A clock on which every sleep ends at once, or never. */
function clock(rings: boolean, signal = new AbortController().signal) {
  const sleep: Host['sleep'] = (_, stop) =>
    rings ? Promise.resolve() : setTimeout(60_000, undefined, { signal: stop });
  return { host: { sleep } as Host, signal };
}

test('what ends in time gives its result, and its failure is not hidden', async () => {
  expect(await within(1, clock(false), async () => 'done')).toBe('done');
  await expect(within(1, clock(false), () => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
});

test('what is late gives undefined and is told to stop', async () => {
  let told: AbortSignal | undefined;
  const never = (signal: AbortSignal) => {
    told = signal;
    return new Promise<string>(() => undefined);
  };
  expect(await within(1, clock(true), never)).toBeUndefined();
  expect(told?.aborted).toBe(true);
});

test('a cancelled wait fails with the reason of the cancellation', async () => {
  const stop = new AbortController();
  const waiting = within(1, clock(false, stop.signal), () => new Promise(() => undefined));
  stop.abort(new Error('stopped by hand'));
  await expect(waiting).rejects.toThrow('stopped by hand');
});
