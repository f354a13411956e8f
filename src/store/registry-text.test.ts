import { expect, test } from 'vitest';
import type { Arch } from '../core/arch.ts';
import { IngotError } from '../core/errors.ts';
import type { RegisteredImage } from '../core/registry.ts';
import { openRegistryText } from './registry-text.ts';

const entry: RegisteredImage = {
  ...{ path: 'artifacts/images/web/x86_64/web.qcow2', built_at: '2026-11-21T12:00:00.000Z', cache_key: 'abc' },
  ...{ image: 'web@b1', source: 'packages', digest: 'sha256:00' },
  formats: { qcow2: { file: 'web.qcow2', bytes: 12, digest: 'sha256:00' } },
};
const named = (name: string, arch: Arch = 'x86_64') => ({ name, arch, entry });
const open = (text: string) => openRegistryText('/home/registry.yml', text);
const deployment = { type: 'proxmox', id: '9000', deployed_at: '2026-11-21', image_cache_key: 'abc' } as const;

test('a new registry tells what it is, and has images by name and architecture', () => {
  const registry = open('');
  registry.setImages([named('web', 'aarch64'), named('web'), named('alpha')]);
  registry.setDeployment('web', 'pve', deployment);
  expect(registry.text()).toMatchInlineSnapshot(`
    "# The images and deployments of this folder, for people and other programs.
    # Ingot keeps \`images\` in step with artifacts/; paths are relative to this file. \`ingot registry record\` and
    # \`forget\` change \`deployments\`. Comments and words of your own stay.

    version: 1
    images:
      alpha:
        x86_64:
          path: artifacts/images/web/x86_64/web.qcow2
          built_at: 2026-11-21T12:00:00.000Z
          cache_key: abc
          image: web@b1
          source: packages
          digest: sha256:00
          formats:
            qcow2: { file: web.qcow2, bytes: 12, digest: sha256:00 }
      web:
        x86_64:
          path: artifacts/images/web/x86_64/web.qcow2
          built_at: 2026-11-21T12:00:00.000Z
          cache_key: abc
          image: web@b1
          source: packages
          digest: sha256:00
          formats:
            qcow2: { file: web.qcow2, bytes: 12, digest: sha256:00 }
        aarch64:
          path: artifacts/images/web/x86_64/web.qcow2
          built_at: 2026-11-21T12:00:00.000Z
          cache_key: abc
          image: web@b1
          source: packages
          digest: sha256:00
          formats:
            qcow2: { file: web.qcow2, bytes: 12, digest: sha256:00 }
    deployments:
      web:
        pve:
          type: proxmox
          id: "9000"
          deployed_at: 2026-11-21
          image_cache_key: abc
    "
  `);
  expect(open(registry.text()).data.deployments).toEqual({ web: { pve: deployment } });
});

const written = `# ours
version: 1
owner: ops # who to ask
images:
  # the shop
  web:
    x86_64:
      note: hot
      cache_key: old # changes each week
    riscv64: { path: elsewhere }
  gone:
    x86_64: { cache_key: old }
deployments:
  web:
    pve: { type: proxmox, id: 9000, deployed_at: x, image_cache_key: abc, ticket: 12 } # rack 2
`;

test('comments and words of people stay, images that are gone go', () => {
  const registry = open(written);
  registry.setImages([named('alpha'), named('web')]);
  registry.setDeployment('web', 'lab', deployment);
  const text = registry.text();
  for (const part of ['# ours', 'owner: ops # who to ask', 'note: hot', 'cache_key: abc # changes each week'])
    expect(text).toContain(part);
  expect(text).toContain('  # the shop\n  web:\n');
  expect(text).toContain('riscv64: { path: elsewhere }');
  expect(text).toContain('pve: { type: proxmox, id: 9000, deployed_at: x, image_cache_key: abc, ticket: 12 } # rack 2');
  expect(text).not.toContain('gone');
  expect(Object.keys(open(text).data.images)).toEqual(['alpha', 'web']);
});

test('what is as it should be is not written anew', () => {
  const registry = open(written);
  registry.setImages([named('web')]);
  const text = registry.text();
  const again = open(text);
  again.setImages([named('web')]);
  expect(again.text()).toBe(text);
});

test('a number as an id is the text', () => {
  expect(open(written).data.deployments['web']?.['pve']?.id).toBe('9000');
});

test('a deployment takes the place of the one before with what a person added to it, and is struck off', () => {
  const registry = open(written);
  registry.setDeployment('web', 'pve', { ...deployment, arch: 'x86_64', address: '10.0.0.5' });
  registry.setDeployment('web', 'pve', { ...deployment, id: '9001' });
  expect(open(registry.text()).data.deployments['web']?.['pve']).toEqual({ ...deployment, id: '9001', ticket: 12 });
  expect(registry.dropDeployment('web', 'lab')).toBe(false);
  expect(registry.dropDeployment('web', 'pve')).toBe(true);
  expect(open(registry.text()).data.deployments).toEqual({});
});

test.each([
  ['version: 2\n', 1, 'the registry has version 2: a newer Ingot wrote it, this one knows version 1'],
  ['images: {}\n', 1, 'the registry has no `version: 1`'],
  ['version: one\n', 1, 'the registry has no `version: 1`'],
  ['- x\n', 1, 'the registry is not a map'],
  ['version: 1\nversion: 1\n', 2, 'the registry is not valid YAML: Map keys must be unique at line 2, column 1'],
  ['version: 1\nimages:\n  web: [\n', 4, /not valid YAML: Flow sequence/],
  ['version: 1\nimages: [web]\n', 2, 'the registry has no map in images'],
  ['version: 1\nimages:\n  web: here\n', 3, 'the registry has no map in images.web'],
  ['version: 1\nimages:\n  web:\n    x86_64: here\n', 4, 'the registry has no map in images.web.x86_64'],
  ['version: 1\ndeployments:\n  web:\n    pve: {}\n', 4, 'the registry says no type in deployments.web.pve'],
  [
    'version: 1\ndeployments:\n  web:\n    pve: { type: a, id: 1, deployed_at: x, image_cache_key: k, arch: z }\n',
    4,
    'the registry says something else than x86_64 or aarch64 in deployments.web.pve.arch',
  ],
  ['version: 1\n---\nversion: 1\n', 2, /not valid YAML/],
  ['version: 1\nowner: &a { x86_64: {} }\nimages: { web: *a }\n', 3, 'the registry has no map in images.web'],
])('%j is refused with its place', (text, line, message) => {
  const found = (() => {
    try {
      return open(text);
    } catch (error) {
      return error;
    }
  })();
  expect(found).toBeInstanceOf(IngotError);
  expect(found).toMatchObject({ code: 'SPEC_INVALID', place: { file: '/home/registry.yml', line } });
  expect((found as IngotError).message).toMatch(message);
  expect((found as IngotError).hint).toBeDefined();
});
