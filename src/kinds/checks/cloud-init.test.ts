import { expect, test } from 'vitest';
import { fakeContext, fakeGuest, fakeSubject } from '../../../test/support/fake-guest.ts';
import { cloudInit, parseStatus } from './cloud-init.ts';

const status = (fields: object) => `....\n${JSON.stringify({ status: 'done', errors: [], ...fields })}`;
const check = (stdout: string, exitCode = 0) =>
  cloudInit.run({}, fakeSubject([fakeGuest([{ to: /cloud-init/, stdout, exitCode }])]), fakeContext());

test('done is done', async () => {
  expect(await check(status({}))).toBe('done, under BIOS');
});

test('recoverable errors are allowed, and shown', async () => {
  const evidence = await check(status({ recoverable_errors: { WARNING: ['a key is deprecated'] } }), 2);
  expect(evidence).toContain('done with 1 recoverable: WARNING: a key is deprecated');
});

test.each([
  [status({ status: 'error', errors: ['no such module'] }), 1],
  [status({ errors: ['no such module'] }), 0],
])('an error fails: %s', async (stdout, exitCode) => {
  await expect(check(stdout, exitCode)).rejects.toMatchObject({
    message: 'cloud-init ended with status error',
    detail: expect.arrayContaining(['no such module']),
  });
});

test('without cloud-init systemd is asked', async () => {
  const guest = (exitCode: number) =>
    fakeGuest([
      { to: /cloud-init/, exitCode: 127 },
      { stdout: exitCode === 0 ? 'running' : 'degraded', exitCode },
    ]);
  expect(await cloudInit.run({}, fakeSubject([guest(0)]), fakeContext())).toContain('no cloud-init in this image');
  await expect(cloudInit.run({}, fakeSubject([guest(1)]), fakeContext())).rejects.toThrow('systemd is degraded');
});

test.each(['', '....', '{', '{"status": 1}'])('what is no status is no status: %s', (text) => {
  expect(parseStatus(text)).toBeUndefined();
});
