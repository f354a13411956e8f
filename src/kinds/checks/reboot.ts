import { z } from 'zod';
import { defineCheck } from '../../core/kinds.ts';
import { guestTools } from '../../guest/tools.ts';
import { checkFailed, lastLines, onEach, underAll } from './on-each.ts';

const settleMs = 60_000;

/** The image survives a restart: it comes back, lets us in again, and all is running. */
export const reboot = defineCheck<Record<string, never>>({
  name: 'reboot',
  version: 1,
  summary: 'It restarts, lets the user in again, and no systemd unit fails the second time.',
  options: z.strictObject({}),
  example: {},
  title: () => 'survives a restart',
  tools: (_, arch) => guestTools(arch),
  needs: 'guest',
  installed: 'always',
  run: async (_, { guests }) => {
    await onEach(guests, async (guest) => {
      await guest.reboot();
      const result = await guest.exec({ text: afterScript }, { timeoutMs: settleMs });
      if (result.exitCode !== 0)
        throw checkFailed('after a restart the system did not come up whole', lastLines(result));
    });
    return `back and running ${underAll(guests)}`;
  },
});

const afterScript = `systemctl is-system-running --wait && exit 0
systemctl list-units --failed --plain --no-legend
exit 1`;
