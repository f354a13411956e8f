import { expect, test } from 'vitest';
import { fakeContext, fakeGuest, fakeSubject } from '../../../test/support/fake-guest.ts';
import { userAbsent } from './user-absent.ts';

test('one user or several can be named', () => {
  expect(userAbsent.options.parse('packer')).toEqual({ users: ['packer'] });
  expect(userAbsent.options.parse(['a', 'b'])).toEqual({ users: ['a', 'b'] });
  expect(userAbsent.options.safeParse('a b').success).toBe(false);
});

test('an account or a home that is there fails', async () => {
  const guest = fakeGuest([{ stdout: 'an account packer\na home /home/packer\n' }]);
  await expect(userAbsent.run({ users: ['packer'] }, fakeSubject([guest]), fakeContext())).rejects.toThrow(
    'there is an account packer, a home /home/packer',
  );
  expect(guest.asked[0]?.script.args).toEqual(['packer']);
});

test('nothing found is the proof', async () => {
  expect(await userAbsent.run({ users: ['packer'] }, fakeSubject([fakeGuest()]), fakeContext())).toContain(
    'no account',
  );
});
