import { expect, test } from 'vitest';
import { createChannel } from './channel.ts';

const never = new AbortController().signal;

/** Whether a wait is over, without waiting for it. */
async function isOver(wait: Promise<void>): Promise<boolean> {
  return Promise.race([wait.then(() => true), new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);
}

test.each([
  ['at once', ['frozen\n']],
  ['in pieces', ['fro', 'z', 'en', '\n']],
  ['with the line end of a terminal', ['frozen\r\n']],
  ['among others', ['hello\nfrozen\nthawed\n']],
  ['after noise without an end', [`${'x'.repeat(10_000)}`, 'y'.repeat(500), '\nfrozen\n']],
])('a line that is said %s is heard', async (_, pieces) => {
  const channel = createChannel();
  const heard = channel.heard('frozen', never);
  for (const piece of pieces) channel.add(Buffer.from(piece));
  expect(await isOver(heard)).toBe(true);
});

test.each(['frozen', 'unfrozen\n', 'frozen solid\n', 'thawed\n'])('%j is not the line', async (said) => {
  const channel = createChannel();
  const heard = channel.heard('frozen', never);
  channel.add(Buffer.from(said));
  expect(await isOver(heard)).toBe(false);
});

test('what was said before somebody listened does not count', async () => {
  const channel = createChannel();
  channel.add(Buffer.from('frozen\n'));
  const heard = channel.heard('frozen', never);
  expect(await isOver(heard)).toBe(false);
  channel.add(Buffer.from('frozen\n'));
  expect(await isOver(heard)).toBe(true);
});

test('everyone who waits for a line hears it, and each line once', async () => {
  const channel = createChannel();
  const both = [channel.heard('frozen', never), channel.heard('frozen', never)];
  const other = channel.heard('thawed', never);
  channel.add(Buffer.from('frozen\n'));
  expect(await Promise.all(both.map(isOver))).toEqual([true, true]);
  expect(await isOver(other)).toBe(false);
});

test('a wait that is stopped fails with the reason, and the next one hears', async () => {
  const channel = createChannel();
  const stop = new AbortController();
  const stopped = channel.heard('frozen', stop.signal);
  stop.abort(new Error('stopped by hand'));
  await expect(stopped).rejects.toThrow('stopped by hand');
  await expect(channel.heard('frozen', stop.signal)).rejects.toThrow('stopped by hand');
  const heard = channel.heard('frozen', never);
  channel.add(Buffer.from('frozen\n'));
  expect(await isOver(heard)).toBe(true);
});
