import { expect, test } from 'vitest';
import type { StepContext, Work } from '../../core/kinds.ts';
import { reboot } from './reboot.ts';

const ctx = {} as StepContext;

test('the machine is restarted once', async () => {
  let restarts = 0;
  const restart = async () => {
    restarts += 1;
  };
  await reboot.run({}, { restart } as unknown as Work, ctx);
  expect(restarts).toBe(1);
});

test('it is for machines that run: a tree has nothing to restart', async () => {
  expect(reboot.on).toEqual(['guest']);
  await expect(reboot.run({}, { bench: 'tree' } as Work, ctx)).rejects.toThrow('tree');
});
