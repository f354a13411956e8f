import { expect, test } from 'vitest';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { createConsole } from './console.ts';
import { all, first, forSerial, until, type Wait } from './wait.ts';

const now: Wait = { what: 'this', run: async () => undefined };
const never: Wait = {
  what: 'that',
  run: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
};
const broken: Wait = { what: 'those', run: () => Promise.reject(new Error('broke')) };

/** A context whose clock rings at once, or never. */
function context(rings: boolean) {
  const sleep: Host['sleep'] = (_, signal) =>
    rings
      ? Promise.resolve()
      : new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  return { host: { sleep } as Host, signal: new AbortController().signal };
}

const limits = (lost = new AbortController().signal) => ({ milliseconds: 90_000, lost });

test('what is late is named with its limit', async () => {
  await expect(until(all(now, never), limits(), context(true))).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: 'no this and that within 90 s',
  });
});

test('what stood in the way is told with a wait that was late', async () => {
  const refused: Wait = { ...never, lastSeen: () => ['Permission denied (publickey).'] };
  await expect(until(first(refused, never), limits(), context(true))).rejects.toMatchObject({
    message: 'no that or that within 90 s',
    detail: ['Permission denied (publickey).'],
  });
});

test('the first of several is enough, and all of them need all', async () => {
  await until(first(never, now), limits(), context(false));
  await expect(until(all(now, broken), limits(), context(false))).rejects.toThrow('broke');
});

test('a lost guest ends the wait with the reason it was lost for', async () => {
  const lost = new AbortController();
  const waiting = until(never, limits(lost.signal), context(false));
  lost.abort(new IngotError({ code: 'STEP_FAILED', message: 'the kernel panicked' }));
  await expect(waiting).rejects.toThrow('the kernel panicked');
});

test('a console line is one of the things to wait for', async () => {
  const console = createConsole();
  const waiting = until(forSerial(console, /login:/), limits(), context(false));
  console.add(Buffer.from('debian login: \n'));
  await expect(waiting).resolves.toBeUndefined();
});
