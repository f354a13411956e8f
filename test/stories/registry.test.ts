import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Engine } from '../../src/cli/engine.ts';
import type { RegistryView } from '../../src/cli/requests/registry.ts';
import { IngotError } from '../../src/core/errors.ts';
import { ingot } from '../support/cli.ts';

const path = '/home/me/artifacts/images/web/x86_64/web.qcow2';
const view: RegistryView = {
  file: '/home/me/registry.yml',
  images: [
    {
      ...{
        name: 'web',
        arch: 'x86_64',
        build: 'b2',
        path,
        builtAt: '2026-11-21T10:00:00Z',
        cacheKey: 'abcdef0123456789',
      },
      ...{ source: 'image debian-13/debian-13.qcow2', sha256: 'a'.repeat(64), bytes: 412_000_000 },
      files: [
        { format: 'qcow2', path, served: 'images/web/x86_64/web.qcow2', bytes: 412_000_000, sha256: 'a'.repeat(64) },
      ],
    },
  ],
  deployments: [
    {
      ...{
        name: 'web',
        target: 'pve',
        type: 'proxmox',
        id: '9000',
        deployedAt: '2026-11-12T12:00:00Z',
        cacheKey: 'old',
      },
      ...{ arch: 'x86_64', image: 'web@b1', state: 'stale' },
    },
    {
      ...{ name: 'web', target: 'lab', type: 'libvirt', id: 'web', deployedAt: '2026-11-21T11:00:00Z' },
      ...{ cacheKey: 'abcdef0123456789', state: 'current' },
    },
    {
      ...{ name: 'db', target: 'lab', type: 'libvirt', id: 'db', deployedAt: '2026-10-21T11:00:00Z' },
      ...{ cacheKey: 'k', state: 'gone' },
    },
  ],
};
const engine: Partial<Engine> = { registry: async () => view };

test('the registry is shown with what is stale, which is no failure', async () => {
  const ran = await ingot('registry', { engine });
  expect(ran.stdout).toBe(
    [
      'IMAGE  ARCH    BUILT    SIZE    FORMATS  SOURCE                           KEY',
      'web    x86_64  2 h ago  412 MB  qcow2    image debian-13/debian-13.qcow2  abcdef012345',
      '',
      'TARGET  IMAGE  TYPE     ID    DEPLOYED     STATE',
      'pve     web    proxmox  9000  9 days ago   stale, newest is b2',
      'lab     web    libvirt  web   1 h ago      current',
      'lab     db     libvirt  db    31 days ago  db is not built here',
      '',
    ].join('\n'),
  );
  expect(ran.stderr).toBe('1 deployment of an older build: web\n');
  expect(ran.code).toBe(0);
});

test('an empty registry says what comes first', async () => {
  const ran = await ingot('registry', { engine: { registry: async () => ({ ...view, images: [], deployments: [] }) } });
  expect(ran).toMatchObject({ stdout: '', stderr: 'no image is built here yet: ingot build\n', code: 0 });
});

test('the registry is given to programs as data, and in their own forms', async () => {
  const json = JSON.parse((await ingot('registry --json', { engine })).stdout) as unknown;
  expect(json).toEqual({ schemaVersion: 1, kind: 'registry', data: view });
  const yaml = parse((await ingot('registry --format yaml --url http://h:1/', { engine })).stdout) as unknown;
  const same = JSON.parse((await ingot('registry --format json --url http://h:1', { engine })).stdout) as unknown;
  expect(yaml).toEqual(same);
  expect(same).toMatchObject({
    version: 1,
    images: { web: { x86_64: { path, url: 'http://h:1/images/web/x86_64/web.qcow2' } } },
    deployments: { web: { pve: { id: '9000', state: 'stale' } } },
  });
  const tfvars = JSON.parse((await ingot('registry --format tfvars', { engine })).stdout) as unknown;
  expect(tfvars).toMatchObject({ images: { web: { x86_64: { path } } } });
  const ansible = (await ingot('registry --format ansible', { engine })).stdout;
  expect((await ingot('inventory --list', { engine })).stdout).toBe(ansible);
});

test.each(['http://user:secret@h', 'ftp://h', 'h:8417', 'http://h/?q'])('%s is no address to serve at', async (url) => {
  expect(await ingot(`registry --format json --url ${url}`, { engine })).toMatchObject({ code: 2 });
});

test('a deployment is recorded and struck off', async () => {
  const [deployment] = view.deployments;
  if (deployment === undefined) throw new Error('there is one');
  const asked: unknown[] = [];
  const deploy: Partial<Engine> = {
    recordDeployment: async (request) => {
      asked.push(request);
      return deployment;
    },
    forgetDeployment: async (request) => {
      asked.push(request);
      return deployment;
    },
  };
  const said = 'registry record web@b1 --target pve --type proxmox --id 9000 --arch amd64 --address 10.0.0.5';
  expect((await ingot(said, { engine: deploy })).stdout).toBe('web@b1 on pve: proxmox 9000\n');
  expect((await ingot('registry forget web --target pve', { engine: deploy })).stdout).toBe(
    'web on pve: proxmox 9000 is struck off\n',
  );
  expect(asked).toEqual([
    {
      ...{ name: 'web', build: 'b1', target: 'pve', type: 'proxmox', id: '9000', arch: 'x86_64' },
      address: '10.0.0.5',
    },
    { name: 'web', target: 'pve' },
  ]);
  for (const wrong of ['--target ../x --type a --id 1', '--target a --type A --id 1', '--target a --type a'])
    expect((await ingot(`registry record web ${wrong}`, { engine: deploy })).code).toBe(2);
});

test('rebuilding says where the registry is and what it has', async () => {
  const ran = await ingot('registry rebuild', { engine: { rebuildRegistry: async () => view } });
  expect(ran).toMatchObject({ stdout: '/home/me/registry.yml\n', stderr: '1 image, 3 deployments\n', code: 0 });
});

test('a registry that is broken is told with its place', async () => {
  const place = { file: '/home/me/registry.yml', line: 2, column: 9, source: 'images: [' };
  const registry: Engine['registry'] = () =>
    Promise.reject(
      new IngotError({ code: 'SPEC_INVALID', message: 'the registry is not valid YAML', place, hint: 'mend it' }),
    );
  const ran = await ingot('registry', { engine: { registry } });
  expect(ran.code).toBe(2);
  expect(ran.stderr).toBe(
    [
      'error[SPEC_INVALID]: the registry is not valid YAML',
      '  --> /home/me/registry.yml:2:9',
      '    |',
      '  2 | images: [',
      '    |         ^',
      'next: mend it\n',
    ].join('\n'),
  );
});

test('OpenTofu is answered on stdout alone, and refused on stderr alone', async () => {
  const good = await ingot('tofu data', { engine, stdin: '{"image":"web","arch":"x86_64"}' });
  expect(good).toMatchObject({ stderr: '', code: 0 });
  expect(JSON.parse(good.stdout)).toMatchObject({ path, sha256: 'a'.repeat(64), cache_key: 'abcdef0123456789' });
  const bad = await ingot('tofu data', { engine, stdin: '{"image":"wbe"}' });
  expect(bad).toMatchObject({ stdout: '', code: 1 });
  expect(bad.stderr).toBe('error[NOT_FOUND]: wbe is not built here\nnext: did you mean web?\n');
});

test('Ansible gets the variables of a host, and nothing for one that is not there', async () => {
  expect(JSON.parse((await ingot('inventory --host web@pve', { engine })).stdout)).toMatchObject({ ingot_id: '9000' });
  expect(JSON.parse((await ingot('inventory --host nobody', { engine })).stdout)).toEqual({});
  expect((await ingot('inventory', { engine })).code).toBe(2);
  expect((await ingot('inventory --list --host web@pve', { engine })).code).toBe(2);
});
