import { expect, test } from 'vitest';
import type { EventBody } from '../../core/events.ts';
import type { Command, RunOptions } from '../../core/host.ts';
import type { StepContext, Work } from '../../core/kinds.ts';
import { ansible, countedFiles } from './ansible.ts';

const task = (name: string, state: string) =>
  JSON.stringify({ event: 'task', name, state, where: '/project/playbooks/site.yml:7', lines: ['why'], warnings: [] });

type Run = { readonly says?: readonly string[]; readonly errors?: readonly string[]; readonly exitCode?: number };
type World = { readonly runs?: readonly Run[]; readonly programs?: readonly string[]; readonly python?: string };

/** Run the step where each call of ansible-playbook goes as told; gives what was called and written. */
async function ran(
  written: unknown,
  { runs = [{ says: [task('a', 'ok')] }], programs, python = '/usr/bin/python3' }: World = {},
) {
  const calls: Command[] = [];
  const files: Record<string, { text: string; mode: number | undefined }> = {};
  const events: EventBody[] = [];
  const work = {
    login: { ssh: '/scratch/ssh', host: 'image', port: 22, user: 'root', sudo: false, options: [] },
    read: async () => python,
    beside: async (command: Command, options: RunOptions) => {
      const { says = [], errors = [], exitCode = 0 } = runs[calls.length] ?? {};
      calls.push(command);
      for (const line of says) options.onAnswer?.(line);
      for (const line of errors) options.onLine?.(line);
      return { exitCode, stdout: '', stderr: '' };
    },
  };
  const host = {
    env: {},
    which: async (program: string) => (programs?.includes(program) === false ? undefined : `/usr/bin/${program}`),
    files: {
      write: async (path: string, text: string, mode?: number) => {
        files[path] = { text, mode };
      },
    },
  };
  const projectFile = (path: string) => (path === '.' ? '/project' : `/project/${path}`);
  const emit = (event: EventBody) => events.push(event);
  const ctx = { host, projectFile, folder: '/work', step: '1-ansible', emit };
  await ansible.run(ansible.options.parse(written), work as unknown as Work, ctx as unknown as StepContext);
  return { calls, files, events };
}

test('values of variables and passwords are in files that nobody else reads, and on no command line', async () => {
  const { calls, files } = await ran({
    playbook: 'playbooks/site.yml',
    'extra-vars': { token: 'hunter2', list: [{ deep: 'hunter2' }] },
    'vault-password': 'hunter2',
  });
  expect(files['/work/vars.json']).toEqual({ text: '{"token":"hunter2","list":[{"deep":"hunter2"}]}', mode: 0o600 });
  expect(files['/work/vault-password']).toEqual({ text: 'hunter2\n', mode: 0o600 });
  expect(Object.values(files).every(({ mode }) => mode === 0o600)).toBe(true);
  expect(JSON.stringify(calls)).not.toContain('hunter2');
  expect(calls[0]).toMatchObject({
    cwd: '/project/playbooks',
    env: { ANSIBLE_VAULT_PASSWORD_FILE: '/work/vault-password' },
  });
});

test('the failure of a task is told with its reason and place', async () => {
  const runs = [{ says: [task('a', 'changed'), task('b', 'failed')], exitCode: 2 }];
  await expect(ran('playbooks/site.yml', { runs })).rejects.toMatchObject({
    code: 'STEP_FAILED',
    message: 'the task "b" failed: why',
    detail: ['at playbooks/site.yml:7'],
    hint: undefined,
  });
});

test('where the image has no Python, that is said', async () => {
  const runs = [{ says: [task('Gathering Facts', 'failed')], exitCode: 2 }];
  await expect(ran('playbooks/site.yml', { runs, python: '' })).rejects.toMatchObject({
    hint: 'the image has no Python: install python3 in a step before',
  });
});

test('a playbook that cannot be read fails with the words of ansible', async () => {
  const runs = [{ errors: ['ERROR! no such role'], exitCode: 1 }];
  await expect(ran('playbooks/site.yml', { runs })).rejects.toMatchObject({
    message: 'ansible-playbook ended with exit code 1',
    detail: ['ERROR! no such role'],
  });
});

test('a playbook that is for other groups has not worked', async () => {
  const runs = [{ says: ['{"event":"play","name":"db"}', '{"event":"unmatched"}'] }];
  await expect(ran('playbooks/site.yml', { runs })).rejects.toThrow('playbooks/site.yml did nothing');
});

test('one that is to converge runs again, and every task that changes something then is named', async () => {
  const converge = { playbook: 'playbooks/site.yml', converge: true };
  const first = { says: [task('a', 'changed'), task('b', 'changed')] };
  const { calls } = await ran(converge, { runs: [first, { says: [task('a', 'ok'), task('b', 'ok')] }] });
  expect(calls).toHaveLength(2);
  expect(calls[1]).toEqual(calls[0]);
  await expect(
    ran(converge, { runs: [first, { says: [task('a', 'ok'), task('b', 'changed')] }] }),
  ).rejects.toMatchObject({
    message: 'playbooks/site.yml does not converge: a task changed something again',
    detail: ['b (playbooks/site.yml:7)'],
  });
  expect((await ran('playbooks/site.yml')).calls).toHaveLength(1);
});

test('a machine without Ansible is told what to install, before anything is done', async () => {
  await expect(ran('playbooks/site.yml', { programs: [] })).rejects.toMatchObject({
    code: 'TOOL_MISSING',
    message: 'the program ansible-playbook is not on this machine',
    hint: 'run ./setup, or install the package ansible-core',
  });
  const withRequirements = { playbook: 'playbooks/site.yml', requirements: 'requirements.yml' };
  await expect(ran(withRequirements, { programs: ['ansible-playbook'] })).rejects.toThrow('ansible-galaxy');
  const programs = (written: unknown) =>
    ansible.tools?.(ansible.options.parse(written), 'x86_64').map(({ program, debian }) => `${program} ${debian}`);
  expect(programs('playbooks/site.yml')).toEqual(['ansible-playbook ansible-core']);
  expect(programs(withRequirements)).toEqual(['ansible-playbook ansible-core', 'ansible-galaxy ansible-core']);
});

test.each<[unknown, readonly string[]]>([
  ['playbooks/site.yml', ['playbooks']],
  [{ playbook: 'ansible/playbooks/site.yml', roles: 'ansible/roles' }, ['ansible/playbooks', 'ansible/roles']],
  [{ playbook: 'playbooks/site.yml', requirements: 'playbooks/requirements.yml' }, ['playbooks']],
  [
    { playbook: 'playbooks/site.yml', requirements: 'requirements.yml', files: ['certs'] },
    ['playbooks', 'requirements.yml', 'certs'],
  ],
])('of %j count %j', (written, counted) => {
  expect(countedFiles(ansible.options.parse(written) as Parameters<typeof countedFiles>[0])).toEqual(counted);
});

test.each([
  ['site.yml'],
  ['../playbooks/site.yml'],
  ['/etc/site.yml'],
  [{ playbook: 'playbooks/site.yml', tags: '--list-hosts' }],
  [{ playbook: 'playbooks/site.yml', groups: ['a b'] }],
  [{ playbook: 'playbooks/site.yml', 'extra-vars': { 'a-b': 1 } }],
  [{ playbook: 'playbooks/site.yml', extra_vars: {} }],
  [{ tags: 'a' }],
])('%j is refused', (written) => {
  expect(ansible.options.safeParse(written).success).toBe(false);
});
