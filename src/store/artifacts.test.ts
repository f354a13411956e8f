import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { manifestOf } from '../../test/support/manifests.ts';
import type { Arch } from '../core/arch.ts';
import {
  currentBuild,
  type FinishedBuild,
  findByKey,
  finishedBuilds,
  manifestText,
  publishBuild,
  selectBuild,
  updateManifest,
} from './artifacts.ts';
import { imageFolder, onShelf, type StorePaths, storePaths } from './paths.ts';

let paths: StorePaths;
beforeEach(async () => {
  paths = storePaths(await mkdtemp(join(tmpdir(), 'ingot-artifacts-')));
});
afterEach(() => rm(paths.home, { recursive: true }));

const never = new AbortController().signal;

async function publish(
  build: string,
  key = `key of ${build}`,
  arch: Arch = 'x86_64',
  on = paths,
): Promise<FinishedBuild> {
  const artifacts = [{ file: 'web.qcow2', format: 'qcow2', bytes: build.length, sha256: `digest of ${build}` }];
  const manifest = manifestOf(build, { arch, key, builtAt: 'now', artifacts });
  const staged = join(paths.work, build);
  await mkdir(staged, { recursive: true });
  await writeFile(join(staged, 'web.qcow2'), build);
  await writeFile(join(staged, 'manifest.json'), manifestText(manifest));
  return publishBuild(on, staged, manifest, never);
}

const stable = (arch: Arch = 'x86_64') => join(paths.artifacts, 'images', 'web', arch);

test('a build appears under the stable name, and the newest takes its place', async () => {
  await publish('b1');
  expect(await readFile(join(stable(), 'web.qcow2'), 'utf8')).toBe('b1');
  await publish('b2');
  expect(await readFile(join(stable(), 'web.qcow2'), 'utf8')).toBe('b2');
  expect(await readdir(paths.work)).toEqual([]);
  expect((await currentBuild(paths, 'web', 'x86_64'))?.manifest.build).toBe('b2');
  expect((await finishedBuilds(paths, 'web', 'x86_64')).map(({ manifest }) => manifest.build)).toEqual(['b2', 'b1']);
});

test('architectures do not see each other', async () => {
  await publish('b1', 'k', 'x86_64');
  await publish('b2', 'k', 'aarch64');
  expect((await currentBuild(paths, 'web', 'x86_64'))?.manifest.build).toBe('b1');
  expect((await finishedBuilds(paths, 'web', 'aarch64')).map(({ manifest }) => manifest.build)).toEqual(['b2']);
});

test('the index has every image by its stable path', async () => {
  await publish('b1');
  await publish('b2');
  expect(JSON.parse(await readFile(join(paths.artifacts, 'index.json'), 'utf8'))).toEqual({
    schemaVersion: 1,
    images: {
      web: {
        x86_64: {
          ...{ build: 'b2', key: 'key of b2', builtAt: 'now' },
          files: [{ path: 'images/web/x86_64/web.qcow2', format: 'qcow2', bytes: 2, sha256: 'digest of b2' }],
        },
      },
    },
  });
});

test('an older build can be made the current one again', async () => {
  const first = await publish('b1');
  await publish('b2');
  await selectBuild(paths, first, never);
  expect((await currentBuild(paths, 'web', 'x86_64'))?.manifest.build).toBe('b1');
});

test('a build is found by its key, unless a file of it is missing or has another size', async () => {
  const { folder } = await publish('b1', 'k');
  expect((await findByKey(paths, 'web', 'x86_64', 'k'))?.manifest.build).toBe('b1');
  expect(await findByKey(paths, 'web', 'x86_64', 'other')).toBeUndefined();
  await writeFile(join(folder, 'web.qcow2'), 'cut');
  expect(await findByKey(paths, 'web', 'x86_64', 'k')).toBeUndefined();
  await rm(join(folder, 'web.qcow2'));
  expect(await findByKey(paths, 'web', 'x86_64', 'k')).toBeUndefined();
});

test('a folder without a readable manifest is no build', async () => {
  const { folder } = await publish('b1', 'k');
  await writeFile(join(folder, 'manifest.json'), '{');
  expect(await finishedBuilds(paths, 'web', 'x86_64')).toEqual([]);
  expect(await currentBuild(paths, 'web', 'x86_64')).toBeUndefined();
});

test('new check results are written down', async () => {
  const build = await publish('b1');
  const checks = [{ check: 'boot', title: 'boot', outcome: 'done', seconds: 1 }] as const;
  await updateManifest(paths, build, { ...build.manifest, checks });
  expect((await currentBuild(paths, 'web', 'x86_64'))?.manifest.checks).toEqual(checks);
});

test('ISOs of an image lie beside its disks, and the index has both', async () => {
  const isos = onShelf(paths, 'isos');
  await publish('b1');
  await publish('b2', 'k', 'x86_64', isos);
  expect((await currentBuild(paths, 'web', 'x86_64'))?.manifest.build).toBe('b1');
  expect((await currentBuild(isos, 'web', 'x86_64'))?.manifest.build).toBe('b2');
  expect(imageFolder(isos, 'web', 'x86_64')).toBe(join(paths.artifacts, 'isos', 'web', 'x86_64'));
  expect(JSON.parse(await readFile(join(paths.artifacts, 'index.json'), 'utf8'))).toMatchObject({
    images: { web: { x86_64: { build: 'b1' } } },
    isos: { web: { x86_64: { build: 'b2', files: [{ path: 'isos/web/x86_64/web.qcow2' }] } } },
  });
});
