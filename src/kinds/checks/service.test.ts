import { expect, test } from 'vitest';
import { fakeContext, fakeGuest, fakeSubject } from '../../../test/support/fake-guest.ts';
import { judge, service } from './service.ts';

const name = 'ssh';

test.each([
  [{ name, active: true }, 'active', 'enabled', []],
  [{ name, active: true, enabled: true }, 'active', 'enabled-runtime', []],
  [{ name, active: true, enabled: true }, 'active', 'disabled', ['disabled']],
  [{ name, active: false, enabled: false }, 'inactive', 'masked', []],
  [{ name, active: false }, 'active', 'enabled', ['active']],
  [{ name, active: true }, 'failed', 'enabled', ['failed']],
  [{ name, active: true, enabled: true }, 'inactive', '', ['inactive', 'not there']],
])('%o when systemd says %s and %s', (wanted, active, enabled, wrong) => {
  expect(judge(wanted, { active, enabled })).toEqual(wrong);
});

test('a bare name means active', () => {
  expect(service.options.parse('ssh')).toEqual({ name: 'ssh', active: true });
  expect(service.options.safeParse('-x').success).toBe(false);
});

test('a unit that is down is shown with its status', async () => {
  const guest = fakeGuest([{ to: /is-active/, stdout: 'failed\nenabled\n' }, { stdout: 'exited, status=1' }]);
  await expect(service.run({ name, active: true }, fakeSubject([guest]), fakeContext())).rejects.toMatchObject({
    message: 'ssh is failed',
    detail: ['exited, status=1'],
  });
});
