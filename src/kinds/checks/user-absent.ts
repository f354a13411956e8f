import { z } from 'zod';
import { defineCheck } from '../../core/kinds.ts';
import { guestTools } from '../../guest/tools.ts';
import { checkFailed, onEach, underAll } from './on-each.ts';

const userName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*\$?$/, 'expected a user name');

export type UserAbsentOptions = { readonly users: readonly string[] };

const options = z.union([
  userName.transform((user): UserAbsentOptions => ({ users: [user] })),
  z
    .array(userName)
    .min(1, 'name a user')
    .transform((users): UserAbsentOptions => ({ users })),
]);

/** Users that must not be in the image: no account, no home. */
export const userAbsent = defineCheck<UserAbsentOptions>({
  name: 'user-absent',
  version: 1,
  summary: 'A user has no account and no home in the booted image.',
  options,
  example: 'packer',
  title: ({ users }) => `no user ${users.join(', ')}`,
  tools: (_, arch) => guestTools(arch),
  needs: 'guest',
  run: async ({ users }, { guests }) => {
    await onEach(guests, async (guest) => {
      const { stdout, exitCode } = await guest.exec({ text: userScript, args: users });
      const found = stdout.trim();
      if (exitCode !== 0 || found !== '') throw checkFailed(`there is ${found.replaceAll('\n', ', ')}`);
    });
    return `no account and no home, ${underAll(guests)}`;
  },
});

const userScript = `for user; do
  if getent passwd "$user" >/dev/null; then echo "an account $user"; fi
  if [ -e "/home/$user" ]; then echo "a home /home/$user"; fi
done`;
