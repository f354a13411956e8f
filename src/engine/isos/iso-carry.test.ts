import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeKinds } from '../../../test/support/fake-kinds.ts';
import type { Carried } from '../../core/media.ts';
import type { ImageSpec } from '../../core/spec.ts';
import { createHost } from '../../host/host.ts';
import { storePaths } from '../../store/paths.ts';
import { cargoOf } from './iso-carry.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-carry-'));
  await mkdir(join(folder, 'keys'));
});
afterEach(() => rm(folder, { recursive: true }));

let asked = 0;

async function cargo(carried: Partial<Carried>, refresh = false) {
  const host = createHost();
  const paths = storePaths(join(folder, 'home'));
  const workshop = { host, kinds: fakeKinds, root: folder, paths, secret: (name: string) => name };
  const medium = {
    iso: () => ({ name: 'x', distribution: 'debian', arch: 'x86_64' }) as const,
    deliveries: () => [],
    unattended: async () => ({ words: [], files: new Map() }),
    carried: () => ({ files: [], artifacts: [], offline: false, ...carried }),
    pinCarried: async () => {
      asked += 1;
      return { asked };
    },
  };
  const spec = { name: 'lab', arch: 'x86_64', source: { kind: 'installer', options: {} } } as unknown as ImageSpec;
  const facts = {
    volumeId: 'X',
    modified: '',
    epoch: 0,
    files: new Set<string>(),
    bootImages: [],
    bios: true,
    efi: undefined,
  };
  const ctx = { signal: new AbortController().signal, emit: () => undefined, host, step: 'prepare' };
  return cargoOf({ workshop, spec, medium, options: {}, facts, refresh }, ctx);
}

test('files of the project lie in a folder of the ISO, and other bytes are another key', async () => {
  await writeFile(join(folder, 'keys/ca.pem'), 'one');
  const first = await cargo({ files: ['keys/ca.pem'] });
  expect(first?.files).toEqual(new Map([['ingot/files/keys/ca.pem', join(folder, 'keys/ca.pem')]]));
  expect((await cargo({ files: ['keys/ca.pem'] }))?.key).toEqual(first?.key);
  await writeFile(join(folder, 'keys/ca.pem'), 'two');
  expect((await cargo({ files: ['keys/ca.pem'] }))?.key).not.toEqual(first?.key);
});

test('what is not there is told', async () => {
  await expect(cargo({ files: ['keys/none'] })).rejects.toThrow('the file keys/none is not in the project');
  await expect(cargo({ artifacts: ['web'] })).rejects.toThrow('web has not been built for x86_64');
});

test('the archive is asked once, and again when that is wanted; never where nothing comes from it', async () => {
  asked = 0;
  expect((await cargo({}))?.pin).toBeNull();
  expect((await cargo({ offline: true }))?.pin).toEqual({ asked: 1 });
  expect((await cargo({ offline: true }))?.pin).toEqual({ asked: 1 });
  expect((await cargo({ offline: true }, true))?.pin).toEqual({ asked: 2 });
});
