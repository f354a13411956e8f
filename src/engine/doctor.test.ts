import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Files, Host } from '../core/host.ts';
import { byName, defineSource, type Kinds } from '../core/kinds.ts';
import type { ImageSpec } from '../core/spec.ts';
import { examine } from './doctor.ts';

const strapper = defineSource({
  name: 'strapper',
  version: 1,
  bench: 'tree',
  summary: 'Base systems.',
  options: z.strictObject({}),
  example: {},
  title: () => 'strap',
  tools: () => [
    { program: 'strap', debian: 'strapper', why: 'makes base systems' },
    { program: '/keys/strap.gpg', debian: 'strap-keys', why: 'checks signatures' },
    { program: 'tar', debian: 'tar', why: 'unpacks base systems' },
  ],
});

const none = byName([]);
const kinds = { sources: byName([strapper]), steps: none, checks: none, formats: none } as unknown as Kinds;

function clinic(present: readonly string[]) {
  const files: Partial<Files> = {
    readText: async () => undefined,
    read: async () => Buffer.alloc(0),
    list: async () => [],
    stat: async (path) => (present.includes(path) ? { kind: 'file', size: 0, mode: 0, modifiedMs: 0 } : undefined),
    freeBytes: async () => 50e9,
  };
  const host: Partial<Host> = {
    ...{ platform: 'linux', arch: 'x64', env: {}, user: { uid: 0, gid: 0, name: 'root' }, files: files as Files },
    which: async (program) => (present.includes(program) ? `/usr/bin/${program}` : undefined),
    run: async ({ argv }) => ({ exitCode: 0, stdout: `${argv[0]} (GNU ${argv[0]}) 1.34\n`, stderr: '' }),
  };
  return { host: host as Host, kinds, home: '/h', signal: new AbortController().signal };
}

function spec(name: string): ImageSpec {
  const source = { kind: 'strapper', options: {} };
  const rest = { steps: [], checks: [], formats: [], filesystem: 'ext4', firmware: ['bios'], virtualization: 'auto' };
  return { name, arch: 'x86_64', source, ...rest } as unknown as ImageSpec;
}

test('tools of kinds and of the bench come once each, with the images that need them', async () => {
  const { tools } = await examine([spec('a'), spec('b')], false, clinic(['tar', '/keys/strap.gpg']));
  const programs = tools.map(({ program }) => program);
  expect(programs).toEqual([...new Set(programs)]);
  expect(tools.find(({ program }) => program === 'tar')).toEqual({
    ...{ program: 'tar', debian: 'tar', why: 'packs layers' },
    ...{ path: '/usr/bin/tar', version: '1.34', images: ['a', 'b'] },
  });
  expect(tools.find(({ program }) => program === '/keys/strap.gpg')?.path).toBe('/keys/strap.gpg');
  const missing = tools.find(({ program }) => program === 'strap');
  expect(missing).toMatchObject({ debian: 'strapper', images: ['a', 'b'] });
  expect(missing?.path).toBeUndefined();
});

test('what no image needs is told only when everything is asked for, and is needed by none', async () => {
  const named = await examine([spec('a')], false, clinic([]));
  expect(named.tools.map(({ program }) => program)).not.toContain('ssh');
  const all = await examine([spec('a')], true, clinic([]));
  expect(all.tools.find(({ program }) => program === 'ssh')?.images).toEqual([]);
});

test('without any project every tool is still told', async () => {
  const { tools } = await examine([], true, clinic([]));
  expect(tools.map(({ program }) => program)).toEqual(expect.arrayContaining(['mke2fs', 'qemu-img', 'ssh', 'strap']));
});
