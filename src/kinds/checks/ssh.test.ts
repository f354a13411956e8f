import { expect, test } from 'vitest';
import { fakeContext, fakeGuest, fakeSubject } from '../../../test/support/fake-guest.ts';
import { ssh } from './ssh.ts';

test('the seeded user runs a command in every guest', async () => {
  const guests = [fakeGuest([{ stdout: 'ingot\n' }], 'bios'), fakeGuest([{ stdout: 'ingot\n' }], 'uefi')];
  expect(await ssh.run({}, fakeSubject(guests), fakeContext())).toContain('ingot logged in by key');
  expect(guests.map(({ asked }) => asked.map(({ who }) => who))).toEqual([['user'], ['user']]);
});

test('somebody else who answers is no login', async () => {
  const guest = fakeGuest([{ stdout: 'nobody\n' }]);
  await expect(ssh.run({}, fakeSubject([guest]), fakeContext())).rejects.toThrow('a command as ingot failed');
});
