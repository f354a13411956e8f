import { z } from 'zod';
import { defineStep } from '../../core/kinds.ts';

/** Restart the machine and wait until it lets us in again: for what takes effect at boot, such as another kernel. */
export const reboot = defineStep<Record<string, never>>({
  name: 'reboot',
  version: 1,
  summary: 'Restart the machine and wait until it is up again.',
  on: ['guest'],
  options: z.strictObject({}),
  example: {},
  title: () => 'restart',
  run: async (_, work) => {
    if (work.restart === undefined) throw new Error(`nothing can be restarted on the ${work.bench} bench`);
    await work.restart();
  },
});
