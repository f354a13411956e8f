import { expect, test } from 'vitest';
import type { EventBody } from '../../core/events.ts';
import type { Command } from '../../core/host.ts';
import type { StepContext } from '../../core/kinds.ts';
import { installRequirements } from './install.ts';

/** Install from a project with these files, where the store has the files with these keys. */
async function install(files: Readonly<Record<string, string>>, kept: readonly string[] = []) {
  const commands: Command[] = [];
  const events: EventBody[] = [];
  const keys: string[] = [];
  const run = async (command: Command) => void commands.push(command);
  const text = (path: string) => files[path.replace('/project/', '')];
  const host = {
    env: { ANSIBLE_FORKS: '1' },
    run,
    files: {
      readText: async (path: string) => text(path),
      realPath: async (path: string) => (text(path) === undefined ? Promise.reject(new Error('ENOENT')) : path),
      stat: async () => ({ kind: 'file' }),
      read: async (path: string) => Buffer.from(text(path) ?? ''),
      makeDirectory: async () => undefined,
    },
  };
  const ctx = {
    host,
    folder: '/work',
    projectFile: (path: string) => `/project/${path}`,
    emit: (event: EventBody) => events.push(event),
    keep: async (key: string, make: (file: string) => Promise<void>) => {
      keys.push(key);
      if (!kept.includes(key)) await make(`/store/${key}`);
      return `/store/${key}`;
    },
  };
  const request = { requirements: 'ansible/requirements.yml', counted: ['ansible/playbooks', 'vendor'] };
  await installRequirements(request, ctx as unknown as StepContext);
  return { commands: commands.map(({ argv, cwd }) => [...argv, `(in ${cwd})`].join(' ')), key: keys[0] ?? '', events };
}

const both = 'roles: [{ name: a.b, version: "1" }]\ncollections: [{ name: ../vendor/t.tar.gz }]\n';
const project = { 'ansible/requirements.yml': both, 'vendor/t.tar.gz': 'bytes' };

test('what is asked for is installed from the folder of the file, packed and kept; later it is only unpacked', async () => {
  const { commands, key } = await install(project);
  const file = '/project/ansible/requirements.yml';
  expect(commands).toEqual([
    `ansible-galaxy role install --role-file=${file} --roles-path=/work/installed/roles (in /project/ansible)`,
    `ansible-galaxy collection install --requirements-file=${file} --collections-path=/work/installed (in /project/ansible)`,
    `tar -cf /store/${key} -C /work/installed . (in undefined)`,
    `tar -xf /store/${key} -C /work/installed (in undefined)`,
  ]);
  expect((await install(project, [key])).commands).toEqual([`tar -xf /store/${key} -C /work/installed (in undefined)`]);
});

test('another text and other bytes of a local file are installed anew', async () => {
  const { key } = await install(project);
  expect((await install({ ...project, 'vendor/t.tar.gz': 'other' })).key).not.toBe(key);
  expect((await install({ ...project, 'ansible/requirements.yml': `${both}\n` })).key).not.toBe(key);
});

test.each([
  ['../tools', 'add tools to `files` of the step'],
  ['/srv/tools', 'move it into the project and name it by a relative path'],
  ['../../tools', 'move it into the project and name it by a relative path'],
])('a path that does not count, %s, is refused', async (source, hint) => {
  const text = `collections: [{ source: ${source}, type: dir }]\n`;
  await expect(install({ 'ansible/requirements.yml': text })).rejects.toMatchObject({ code: 'SPEC_INVALID', hint });
});

test('what may be another version tomorrow is warned of', async () => {
  const { events } = await install({ 'ansible/requirements.yml': 'collections: [acme.tools]\n' });
  expect(events).toMatchObject([
    { type: 'warning', message: 'ansible/requirements.yml names no exact version of acme.tools' },
  ]);
  expect((await install(project)).events).toEqual([]);
});

test('a file that is none is refused', async () => {
  await expect(install({ 'ansible/requirements.yml': 'hello\n' })).rejects.toMatchObject({ code: 'SPEC_INVALID' });
  await expect(install({})).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
