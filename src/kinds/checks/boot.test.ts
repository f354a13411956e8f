import { expect, test } from 'vitest';
import { fakeContext, fakeGuest, fakeSubject } from '../../../test/support/fake-guest.ts';
import { boot, failedUnits } from './boot.ts';

const gib = 1024 ** 3;
const run = async () => ({ exitCode: 0, stdout: JSON.stringify({ 'virtual-size': 2 * gib }), stderr: '' });
const ctx = fakeContext({ run });

const running = { to: /is-system-running/, stdout: 'running\n' };
const size = (bytes: number) => ({ to: /dumpe2fs/, stdout: `${bytes}\n` });

test('a system that runs and grew is evidence', async () => {
  const guests = (['bios', 'uefi'] as const).map((firmware) => fakeGuest([running, size(3 * gib)], firmware));
  const evidence = await boot.run({}, fakeSubject(guests), ctx);
  expect(evidence).toBe('systemd is running, no failed unit, root file system grew to 3.0 GiB under BIOS and UEFI');
});

test('failed units are named, with the end of their logs', async () => {
  const guest = fakeGuest([
    { to: /is-system-running/, stdout: 'degraded\n', exitCode: 1 },
    { to: /list-units/, stdout: 'foo.service loaded failed failed Foo\nbar.mount loaded failed failed Bar\n' },
    { to: /systemctl status/, stdout: 'it went wrong\n' },
  ]);
  await expect(boot.run({}, fakeSubject([guest]), ctx)).rejects.toMatchObject({
    code: 'CHECK_FAILED',
    message: 'the system did not come up whole, failed: foo.service, bar.mount',
    detail: expect.arrayContaining(['it went wrong']),
  });
});

test('a root file system that kept its size fails, under its firmware', async () => {
  const grown = fakeGuest([running, size(3 * gib)], 'bios');
  const small = fakeGuest([running, size(2 * gib)], 'uefi');
  await expect(boot.run({}, fakeSubject([grown, small]), ctx)).rejects.toThrow(/did not grow.*\(under UEFI\)/);
});

const still = { to: /repart/, exitCode: 1 };

test('where nothing is there to grow it, as after an installation, it keeps its size', async () => {
  const evidence = await boot.run({}, fakeSubject([fakeGuest([running, still, size(2 * gib)])]), ctx);
  expect(evidence).toBe('systemd is running, no failed unit, root file system keeps its size of 2.0 GiB under BIOS');
});

test('whether it has to grow can be said', async () => {
  const none = fakeSubject([fakeGuest([running, still, size(2 * gib)])]);
  await expect(boot.run({ grows: true }, none, ctx)).rejects.toThrow(/did not grow/);
  const some = fakeSubject([fakeGuest([running, size(2 * gib)])]);
  expect(await boot.run({ grows: false }, some, ctx)).toMatch(/keeps its size of 2\.0 GiB/);
});

const live = { ...fakeSubject([]), medium: { path: '/a/x.iso', format: 'iso' } } as const;
const root = (stdout: string) => ({ to: /findmnt/, stdout });

test.each(['iso9660', 'tmpfs'])('a live ISO does not grow: it runs from its medium, here %s', async (medium) => {
  const guests = [fakeGuest([running, root(`overlay\n${medium}\n`)])];
  const evidence = await boot.run({}, { ...live, guests }, ctx);
  expect(evidence).toBe('systemd is running, no failed unit, live system on an overlay of its medium under BIOS');
});

test('a system that runs from elsewhere is no proof of a live ISO', async () => {
  const guests = [fakeGuest([running, root('ext4\niso9660\n')])];
  await expect(boot.run({}, { ...live, guests }, ctx)).rejects.toThrow('does not run as a live system');
});

test('a firmware that was asked for must be there', async () => {
  const subject = fakeSubject([fakeGuest([running, size(3 * gib)])]);
  await expect(boot.run({ firmware: ['uefi'] }, subject, ctx)).rejects.toThrow('no guest is up under uefi');
});

test('unit names are the first words', () => {
  expect(failedUnits('a.service loaded failed\n\nb.mount loaded\n')).toEqual(['a.service', 'b.mount']);
});
