import { expect, test } from 'vitest';
import { fakeContext, fakeGuest, fakeSubject } from '../../../test/support/fake-guest.ts';
import { reboot } from './reboot.ts';

test('all guests restart and are asked whether everything runs', async () => {
  const guests = [fakeGuest([], 'bios'), fakeGuest([], 'uefi')];
  expect(await reboot.run({}, fakeSubject(guests), fakeContext())).toBe('back and running under BIOS and UEFI');
  expect(guests.map(({ asked }) => asked.map(({ who }) => who))).toEqual([
    ['us', 'root'],
    ['us', 'root'],
  ]);
});

test('a unit that fails the second time fails the check', async () => {
  const guest = fakeGuest([{ exitCode: 1, stdout: 'foo.service loaded failed\n' }]);
  await expect(reboot.run({}, fakeSubject([guest]), fakeContext())).rejects.toMatchObject({
    detail: ['foo.service loaded failed'],
  });
});
