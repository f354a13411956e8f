import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { StorePaths } from '../../src/store/paths.ts';
import { makeHome, putBuild, removeHome } from '../support/served-home.ts';

const exec = promisify(execFile);
const repository = new URL('../../', import.meta.url).pathname;

let paths: StorePaths;
let folder = '';
let program = '';

const ingot = async (...words: readonly string[]) => (await exec(program, words)).stdout;

beforeAll(async () => {
  paths = await makeHome();
  folder = await mkdtemp(join(tmpdir(), 'ingot-registry-'));
  program = join(folder, 'ingot');
  await writeFile(program, `#!/bin/sh\nexec ${repository}ingot --home ${paths.home} "$@"\n`);
  await chmod(program, 0o755);
  await putBuild(paths, 'b1', Buffer.from('the first disk'), 'debian-13');
  await putBuild(paths, 'b1', Buffer.from('a disk'), 'web');
  await ingot('registry', 'record', 'debian-13', '--target', 'pve.lab', '--type', 'proxmox', '--id', '9000');
  await ingot(...'registry record web --target lab --type libvirt --id web --address 192.0.2.5'.split(' '));
  await putBuild(paths, 'b2', Buffer.from('the second disk'), 'debian-13');
});
afterAll(async () => {
  await removeHome(paths);
  await rm(folder, { recursive: true });
});

const script = `${repository}examples/ansible/ingot.sh`;
const ansible = async (...words: readonly string[]) => {
  // Warnings about what it is given are failures here.
  const env = {
    ...process.env,
    INGOT: program,
    ANSIBLE_NOCOLOR: '1',
    HOME: folder,
    ANSIBLE_LOCALHOST_WARNING: 'False',
  };
  const { stdout, stderr } = await exec(words[0] ?? '', words.slice(1), { env });
  expect(stderr).toBe('');
  return stdout;
};

type List = Readonly<Record<string, { readonly hosts?: readonly string[] }>> & {
  readonly _meta: { readonly hostvars: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
};

test('ansible-inventory takes the registry, with its groups and the variables of each host', async () => {
  const list = JSON.parse(await ansible('ansible-inventory', '-i', script, '--list')) as List;
  expect(list['images']?.hosts?.toSorted()).toEqual(['debian-13.x86_64', 'web.x86_64']);
  expect(list['deployments']?.hosts?.toSorted()).toEqual(['debian-13@pve.lab', 'web@lab']);
  expect(list['stale']?.hosts).toEqual(['debian-13@pve.lab']);
  expect(list['image_debian_13']?.hosts?.toSorted()).toEqual(['debian-13.x86_64', 'debian-13@pve.lab']);
  expect(list['target_pve_lab']?.hosts).toEqual(['debian-13@pve.lab']);
  expect(list['arch_x86_64']?.hosts).toHaveLength(4);
  expect(list._meta.hostvars['debian-13@pve.lab']).toMatchObject({ ingot_id: '9000', ingot_image: 'debian-13@b1' });
  expect(list._meta.hostvars['web@lab']).toMatchObject({ ansible_host: '192.0.2.5' });
  const host = JSON.parse(await ansible('ansible-inventory', '-i', script, '--host', 'web.x86_64')) as unknown;
  expect(host).toEqual(list._meta.hostvars['web.x86_64']);
});

test('the playbook of the example finds each image with its digest, and what is stale', async () => {
  const said = await ansible('ansible-playbook', '-i', script, `${repository}examples/ansible/images.yml`);
  expect(said).toContain('debian-13@b2 for x86_64: ');
  expect(said).toContain('debian-13 on pve.lab (proxmox 9000) is of debian-13@b1');
  expect(said).toMatch(/web\.x86_64 .*failed=0/);
});

test('a query on stdin is answered as the `external` data source of OpenTofu wants it', async () => {
  const ask = (query: string) => {
    const asked = exec(program, ['tofu', 'data']);
    asked.child.stdin?.end(query);
    return asked;
  };
  const { stdout, stderr } = await ask('{"image":"debian-13","target":"pve.lab"}');
  expect(stderr).toBe('');
  const answer = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  expect(Object.values(answer).every((value) => typeof value === 'string')).toBe(true);
  expect(await readFile(String(answer['path']), 'utf8')).toBe('the second disk');
  expect(answer).toMatchObject({ deployment_id: '9000', deployment_stale: 'true' });
  await expect(ask('{"image":"debian-12"}')).rejects.toMatchObject({ code: 1, stdout: '' });
});

test('the registry on the disk is what programs were given', async () => {
  const written = parse(await readFile(join(paths.home, 'registry.yml'), 'utf8')) as {
    readonly images: Readonly<Record<string, Readonly<Record<string, { readonly path: string }>>>>;
  };
  const given = JSON.parse(await ingot('registry', '--format', 'json')) as typeof written;
  expect(Object.keys(written.images)).toEqual(['debian-13', 'web']);
  const path = written.images['debian-13']?.['x86_64']?.path ?? '';
  expect(join(paths.home, path)).toBe(given.images['debian-13']?.['x86_64']?.path);
  expect(await readFile(join(paths.home, path), 'utf8')).toBe('the second disk');
});
