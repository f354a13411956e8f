import { z } from 'zod';
import { defineCheck } from '../../core/kinds.ts';
import { guestTools } from '../../guest/tools.ts';
import { checkFailed, lastLines, onEach, underAll } from './on-each.ts';

/** A seeded user logs in by ssh with a key, and the host shows the key it was given. */
export const ssh = defineCheck<Record<string, never>>({
  name: 'ssh',
  version: 1,
  summary: 'The seeded user logs in by ssh with a key, to a host whose key is known beforehand.',
  options: z.strictObject({}),
  example: {},
  title: () => 'ssh login',
  tools: (_, arch) => guestTools(arch),
  needs: 'guest',
  installed: 'always',
  run: async (_, { guests }) => {
    const users = await onEach(guests, async (guest) => {
      const result = await guest.execAsUser({ text: 'id -un' });
      const user = result.stdout.trim();
      if (result.exitCode !== 0 || user !== guest.ssh.user) {
        throw checkFailed(`ssh logged in, but a command as ${guest.ssh.user} failed`, lastLines(result));
      }
      return user;
    });
    return `${users[0]} logged in by key, host key as given, ${underAll(guests)}`;
  },
});
