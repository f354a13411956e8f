import { expect, test } from 'vitest';
import { together } from './together.ts';

test('what all gave comes in their order', async () => {
  expect(await together([Promise.resolve(1), Promise.resolve('two')])).toEqual([1, 'two']);
});

test('a failure is told when the others have ended', async () => {
  let end = () => {};
  let isOver = false;
  const other = new Promise<void>((resolve) => {
    end = resolve;
  }).then(() => {
    isOver = true;
  });
  const failing = together([Promise.reject(new Error('first')), other]);
  setImmediate(end);
  await expect(failing).rejects.toThrow('first');
  expect(isOver).toBe(true);
});
