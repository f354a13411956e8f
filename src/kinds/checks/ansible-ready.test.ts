import { expect, test } from 'vitest';
import { fakeContext, fakeGuest, fakeSubject } from '../../../test/support/fake-guest.ts';
import type { Command, Host } from '../../core/host.ts';
import { ansibleReady, environment, inventory } from './ansible-ready.ts';

const python = { to: /python3/, stdout: 'Python 3.13.5\n' };

/** A build machine with Ansible, which ends with this exit code. */
function withAnsible(exitCode: number) {
  const commands: Command[] = [];
  const run = async (command: Command) => {
    commands.push(command);
    return { exitCode, stdout: 'bios | SUCCESS => {\n "ansible_distribution": "Debian",', stderr: 'a warning' };
  };
  const files = { makeDirectory: async () => undefined, write: async () => undefined };
  const ctx = fakeContext({ which: async () => '/usr/bin/ansible', run, files } as unknown as Partial<Host>);
  return { ctx, commands };
}

test('without Ansible on the build machine the evidence says so', async () => {
  const ctx = fakeContext({ which: async () => undefined });
  const evidence = await ansibleReady.run({}, fakeSubject([fakeGuest([python])]), ctx);
  expect(evidence).toBe('Python 3.13.5, sudo, under BIOS; ansible is not on this machine, so it was not run itself');
});

test('Ansible itself gathers facts where it is', async () => {
  const { ctx, commands } = withAnsible(0);
  const evidence = await ansibleReady.run({}, fakeSubject([fakeGuest([python])]), ctx);
  expect(evidence).toBe('Python 3.13.5, sudo, ansible -m setup saw Debian, under BIOS');
  expect(commands[0]?.argv).toEqual(expect.arrayContaining(['-m', 'setup', '-b']));
});

test('what Ansible could not do fails the check with its words', async () => {
  const { ctx } = withAnsible(4);
  await expect(ansibleReady.run({}, fakeSubject([fakeGuest([python])]), ctx)).rejects.toMatchObject({
    message: 'ansible could not gather facts',
    detail: expect.arrayContaining(['a warning']),
  });
});

test('a missing python3 and a sudo that asks are failures', async () => {
  const ctx = fakeContext();
  const bare = fakeGuest([{ to: /python3/, exitCode: 127 }]);
  await expect(ansibleReady.run({}, fakeSubject([bare]), ctx)).rejects.toThrow('there is no python3');
  const asks = fakeGuest([python, { to: /sudo/, exitCode: 1 }]);
  await expect(ansibleReady.run({}, fakeSubject([asks]), ctx)).rejects.toThrow('cannot use sudo without a password');
});

test('no ssh connection of Ansible outlives it, and host keys are checked', () => {
  expect(Object.values(environment('/s')).join(' ')).not.toContain('ControlPersist');
  expect(environment('/s')).toMatchObject({ ANSIBLE_HOST_KEY_CHECKING: 'True', ANSIBLE_SSH_ARGS: '-F none' });
});

test('each guest is a host with its own port and the known host key', () => {
  expect(inventory([fakeGuest()])).toEqual({
    all: {
      hosts: {
        bios: {
          ansible_host: '127.0.0.1',
          ansible_port: 4022,
          ansible_user: 'ingot',
          ansible_ssh_private_key_file: '/k/login',
          ansible_ssh_common_args:
            '-o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -o UserKnownHostsFile=/k/known_hosts -o HostKeyAlias=ingot-guest',
        },
      },
    },
  });
});
