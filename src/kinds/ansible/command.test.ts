import { expect, test } from 'vitest';
import type { Login } from '../../core/kinds.ts';
import { inventory, playbookArgv, playbookEnvironment } from './command.ts';

const tree: Login = { ssh: '/scratch/ssh', host: 'image', port: 22, user: 'root', sudo: false, options: [] };
const guest: Login = {
  ...{ ssh: '/usr/bin/ssh', host: '127.0.0.1', port: 2222, user: 'builder', sudo: true },
  options: ['-F', 'none', '-o', 'UserKnownHostsFile=/tmp/a b/known'],
};
const place = { folder: '/work', roles: ['/project/roles'], hasVault: false };

test('the image is the only host, root in it, and in the groups that are named', () => {
  expect(inventory(guest, ['web', 'db'])).toEqual({
    all: {
      hosts: {
        image: {
          ...{ ansible_host: '127.0.0.1', ansible_port: 2222, ansible_user: 'builder', ansible_become: true },
          ansible_ssh_common_args: "-F none -o 'UserKnownHostsFile=/tmp/a b/known'",
        },
      },
      children: { web: { hosts: { image: {} } }, db: { hosts: { image: {} } } },
    },
  });
  expect(JSON.stringify(inventory(tree, []))).not.toContain('become');
});

test('variables come from a file; tags are one word each', () => {
  const words = { playbook: '/project/playbooks/site.yml', tags: ['a', 'b'], skipTags: ['c'], hasVars: true };
  expect(playbookArgv(words, place)).toEqual([
    ...['ansible-playbook', '--inventory=/work/inventory.json', '--extra-vars=@/work/vars.json'],
    ...['--tags=a', '--tags=b', '--skip-tags=c', '/project/playbooks/site.yml'],
  ]);
  expect(playbookArgv({ ...words, tags: [], skipTags: [], hasVars: false }, place)).toEqual([
    ...['ansible-playbook', '--inventory=/work/inventory.json', '/project/playbooks/site.yml'],
  ]);
});

test('nothing of the settings of a person is left, and no connection that outlives the run', () => {
  const env = { HOME: '/home/me', ANSIBLE_CONFIG: '/home/me/ansible.cfg', ANSIBLE_FORKS: '1', INGOT_SECRET_A: 'x' };
  const given = playbookEnvironment({ login: tree, env }, place);
  expect(given).toMatchObject({
    ANSIBLE_CONFIG: '/work/ansible.cfg',
    ANSIBLE_HOME: '/work/home',
    ANSIBLE_COLLECTIONS_PATH: '/work/installed',
    ANSIBLE_ROLES_PATH: '/project/roles:/work/installed/roles',
    ANSIBLE_SSH_EXECUTABLE: '/scratch/ssh',
    ANSIBLE_SSH_ARGS: '',
    ANSIBLE_SSH_TRANSFER_METHOD: 'piped',
    ANSIBLE_HOST_KEY_CHECKING: 'True',
    ANSIBLE_BECOME_METHOD: 'su',
  });
  expect(given).toHaveProperty('ANSIBLE_FORKS', undefined);
  expect(given).toHaveProperty('INGOT_SECRET_A', undefined);
  expect(given).not.toHaveProperty('HOME');
  expect(given).not.toHaveProperty('ANSIBLE_VAULT_PASSWORD_FILE');
});

test('sudo makes a guest of another user, and a vault password is named by its file', () => {
  const given = playbookEnvironment({ login: guest, env: {} }, { ...place, hasVault: true });
  expect(given).toMatchObject({
    ANSIBLE_BECOME_METHOD: 'sudo',
    ANSIBLE_VAULT_PASSWORD_FILE: '/work/vault-password',
  });
});
