import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RegistryDeployment, RegistryImage, RegistryView } from '../requests/registry.ts';
import { imageEntries } from './entries.ts';
import { hostVariables, inventory } from './inventory.ts';
import { answerQuery, parseQuery, tofuVariables } from './tofu.ts';

function image(name: string, arch: RegistryImage['arch'] = 'x86_64'): RegistryImage {
  const file = (format: string, hex: string) => ({
    ...{ format, path: `/home/artifacts/images/${name}/${arch}/${name}.${format}`, bytes: 4, sha256: hex.repeat(64) },
    served: `images/${name}/${arch}/${name}.${format}`,
  });
  const files = [file('qcow2', 'a'), file('raw.zst', 'b')];
  return {
    ...{ name, arch, build: 'b2', path: files[0]?.path ?? '', builtAt: '2026-11-21T12:00:00.000Z', cacheKey: 'key 2' },
    ...{ source: 'packages', sha256: 'a'.repeat(64), bytes: 8, files },
  };
}

const deployed: RegistryDeployment = {
  ...{ name: 'debian-13', target: 'pve.lab', type: 'proxmox', id: '9000', deployedAt: '2026-11-20', cacheKey: 'key 1' },
  ...{ arch: 'x86_64', image: 'debian-13@b1', state: 'stale' },
};
const reached: RegistryDeployment = {
  ...{ name: 'web', target: 'lab', type: 'libvirt', id: 'web', deployedAt: '2026-11-21', cacheKey: 'key 2' },
  ...{ address: '10.0.0.5', state: 'current' },
};
const view: RegistryView = {
  file: '/home/registry.yml',
  images: [image('debian-13'), image('debian-13', 'aarch64'), image('web')],
  deployments: [deployed, reached],
};
const url = 'http://ingot.lan:8417';

test('addresses are of files here, or below where they are served', () => {
  expect(imageEntries(view, {})['web']?.['x86_64']?.url).toBe('file:///home/artifacts/images/web/x86_64/web.qcow2');
  expect(imageEntries(view, { url })['web']?.['x86_64']).toEqual({
    ...{ path: '/home/artifacts/images/web/x86_64/web.qcow2', url: `${url}/images/web/x86_64/web.qcow2` },
    ...{ built_at: '2026-11-21T12:00:00.000Z', cache_key: 'key 2', image: 'web@b2', build: 'b2', source: 'packages' },
    digest: `sha256:${'a'.repeat(64)}`,
    formats: {
      qcow2: {
        ...{ path: '/home/artifacts/images/web/x86_64/web.qcow2', url: `${url}/images/web/x86_64/web.qcow2` },
        ...{ bytes: 4, digest: `sha256:${'a'.repeat(64)}` },
      },
      'raw.zst': {
        ...{ path: '/home/artifacts/images/web/x86_64/web.raw.zst', url: `${url}/images/web/x86_64/web.raw.zst` },
        ...{ bytes: 4, digest: `sha256:${'b'.repeat(64)}` },
      },
    },
  });
});

test('variables for OpenTofu have the names of images as keys, and what the type in the example names', () => {
  const { images } = tofuVariables(view, {}) as { images: Record<string, Record<string, Record<string, unknown>>> };
  expect(Object.keys(images)).toEqual(['debian-13', 'web']);
  expect(Object.keys(images['debian-13'] ?? {})).toEqual(['x86_64', 'aarch64']);
  const example = readFileSync('examples/tofu/libvirt/variables.tf', 'utf8');
  const [type = '', inner = ''] =
    /map\(object\(\{(.*?)formats = map\(object\(\{(.*?)\}\)\)/s.exec(example)?.slice(1) ?? [];
  const namesIn = (text: string) => [...text.matchAll(/^\s+(\w+)\s+= (?:string|number)$/gm)].map(([, name]) => name);
  const entry = images['web']?.['x86_64'] ?? {};
  const formats = entry['formats'] as Record<string, Record<string, unknown>>;
  expect([...namesIn(type), 'formats']).toEqual(Object.keys(entry));
  expect(namesIn(inner)).toEqual(Object.keys(formats['qcow2'] ?? {}));
});

const ask = (query: Record<string, unknown>) =>
  answerQuery(view, parseQuery(JSON.stringify(query)), { url: undefined, native: 'x86_64' });

test('the answer to a query is a flat map of texts', () => {
  const answer = ask({ image: 'debian-13', target: 'pve.lab', url });
  expect(Object.values(answer).filter((value) => typeof value !== 'string')).toEqual([]);
  expect(answer).toMatchObject({
    ...{ name: 'debian-13', arch: 'x86_64', format: 'qcow2', url: `${url}/images/debian-13/x86_64/debian-13.qcow2` },
    ...{ image: 'debian-13@b2', cache_key: 'key 2', sha256: 'a'.repeat(64), bytes: '4', formats: 'qcow2,raw.zst' },
    ...{ deployment_id: '9000', deployment_type: 'proxmox', deployment_stale: 'true', deployment_address: '' },
  });
  expect(ask({ image: 'debian-13', arch: 'arm64', format: 'raw.zst' })).toMatchObject({
    ...{ arch: 'aarch64', path: '/home/artifacts/images/debian-13/aarch64/debian-13.raw.zst' },
    digest: `sha256:${'b'.repeat(64)}`,
  });
});

test('what the example asks for and takes from the answer is there', () => {
  const read = (file: string) => readFileSync(`examples/tofu/image/${file}`, 'utf8');
  const query = [...read('main.tf').matchAll(/^\s+(\w+)\s+= var\.\w+$/gm)].map(([, word]) => word);
  expect(query).toEqual(['image', 'arch', 'format', 'target', 'url']);
  const answer = ask({ image: 'debian-13', target: 'pve.lab' });
  const taken = [...read('outputs.tf').matchAll(/result\.(\w+)|result, "(\w+)"/g)].map(([, a, b]) => a ?? b ?? '');
  expect(taken.length).toBeGreaterThan(4);
  expect(taken.filter((word) => !(word in answer))).toEqual([]);
});

test.each([
  [{}, 'USAGE', 'the query names no `image`'],
  [{ imag: 'web' }, 'USAGE', 'the query has an unknown word "imag"'],
  [{ image: 3 }, 'USAGE', 'image of the query is no text'],
  [{ image: 'web', arch: 'risc' }, 'USAGE', '"risc" is no architecture'],
  [{ image: 'wbe' }, 'NOT_FOUND', 'wbe is not built here'],
  [{ image: 'web', arch: 'aarch64' }, 'NOT_FOUND', 'web is not built for aarch64'],
  [{ image: 'web', format: 'vma' }, 'NOT_FOUND', 'web for x86_64 has no file of the format vma'],
  [{ image: 'web', target: 'pve' }, 'NOT_FOUND', 'web for x86_64 is not deployed on pve'],
])('the query %j is refused', (query, code, message) => {
  const refusal = (() => {
    try {
      return ask(query);
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toMatchObject({ code, message });
});

test('a query that is no JSON object is refused', () => {
  for (const text of ['', '{', '[]', '"web"', 'null']) {
    expect(() => parseQuery(text)).toThrow(/the query/);
  }
});

test('an inventory has a host for each image and deployment, in groups that Ansible takes', () => {
  const { _meta, ...groups } = inventory(view, { url });
  expect(
    Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, 'hosts' in group ? group.hosts : []])),
  ).toEqual({
    images: ['debian-13.x86_64', 'debian-13.aarch64', 'web.x86_64'],
    deployments: ['debian-13@pve.lab', 'web@lab'],
    stale: ['debian-13@pve.lab'],
    image_debian_13: ['debian-13.x86_64', 'debian-13.aarch64', 'debian-13@pve.lab'],
    image_web: ['web.x86_64', 'web@lab'],
    arch_x86_64: ['debian-13.x86_64', 'web.x86_64', 'debian-13@pve.lab'],
    arch_aarch64: ['debian-13.aarch64'],
    target_pve_lab: ['debian-13@pve.lab'],
    target_lab: ['web@lab'],
    type_proxmox: ['debian-13@pve.lab'],
    type_libvirt: ['web@lab'],
  });
  expect(Object.keys(_meta.hostvars)).toHaveLength(5);
});

test('what is a machine is reached by its address, all else is done where Ansible runs', () => {
  expect(hostVariables(view, {}, 'web@lab')).toMatchObject({ ansible_host: '10.0.0.5', ingot_id: 'web' });
  expect(hostVariables(view, {}, 'web@lab')).not.toHaveProperty('ansible_connection');
  expect(hostVariables(view, {}, 'debian-13@pve.lab')).toMatchObject({
    ansible_connection: 'local',
    ingot_state: 'stale',
  });
  expect(hostVariables(view, {}, 'web.x86_64')).toMatchObject({ ansible_connection: 'local', ingot_image: 'web@b2' });
  expect(hostVariables(view, {}, 'nobody')).toEqual({});
});
