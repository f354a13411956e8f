import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { manifestOf } from '../../test/support/manifests.ts';
import type { Manifest } from '../core/manifest.ts';
import { finishedBuilds, isNamedInRegistry, manifestText, publishBuild } from '../store/artifacts.ts';
import { buildsFolder, imageFolder, type StorePaths, storePaths } from '../store/paths.ts';
import { retireBuilds, settleTree } from '../store/retire.ts';
import { collectGarbage } from './gc.ts';
import { forgetDeployment, rebuildRegistry, recordDeployment, showRegistry } from './registry.ts';

const { signal } = new AbortController();
const nowMs = Date.parse('2026-11-21T12:00:00.000Z');
const host = { arch: 'x64', now: () => nowMs };
const pve = { name: 'web', target: 'pve', type: 'proxmox', id: '9000', arch: 'native' } as const;

let paths: StorePaths;
beforeEach(async () => {
  paths = storePaths(await mkdtemp(join(tmpdir(), 'ingot-registry-')));
});
afterEach(() => rm(paths.home, { recursive: true }));

async function publish(build: string, fields: Partial<Manifest> = {}): Promise<string> {
  const manifest = manifestOf(build, fields);
  const staged = join(paths.work, build);
  await mkdir(staged, { recursive: true });
  for (const { file } of manifest.artifacts) await writeFile(join(staged, file), 'disk');
  await writeFile(join(staged, 'manifest.json'), manifestText(manifest));
  const { folder } = await publishBuild(paths, staged, manifest, signal);
  return folder;
}

/** As if nobody had used any build for an hour. */
async function rest(): Promise<void> {
  const then = (nowMs - 3_600_000) / 1000;
  const folder = buildsFolder(paths, 'web');
  const names = await readdir(folder, { recursive: true });
  for (const name of names) await utimes(join(folder, name), then, then);
}

const file = () => join(paths.home, 'registry.yml');
const text = () => readFile(file(), 'utf8');
const show = () => showRegistry(paths, signal);
const builds = async () => (await finishedBuilds(paths, 'web', 'x86_64')).map(({ manifest }) => manifest.build);

test('a published build stands in the registry, and the next one in its place', async () => {
  await publish('b1');
  expect(await text()).toContain('image: web@b1');
  await publish('b2');
  expect(await text()).toContain('image: web@b2');
  expect(await text()).not.toContain('b1');
  const stable = imageFolder(paths, 'web', 'x86_64');
  expect((await show()).images).toEqual([
    {
      ...{ name: 'web', arch: 'x86_64', build: 'b2', path: join(stable, 'web.qcow2'), cacheKey: 'key of b2' },
      ...{ builtAt: '2026-11-21T12:00:00.000Z', source: 'packages', sha256: 'b2'.padEnd(64, '0'), bytes: 4 },
      files: [
        {
          ...{ format: 'qcow2', path: join(stable, 'web.qcow2'), served: 'images/web/x86_64/web.qcow2' },
          ...{ bytes: 4, sha256: 'b2'.padEnd(64, '0') },
        },
      ],
    },
  ]);
});

test('a deployment is current until a build with another key comes', async () => {
  await publish('b1');
  expect(await recordDeployment({ paths, host }, pve, signal)).toEqual({
    ...{ name: 'web', target: 'pve', type: 'proxmox', id: '9000', deployedAt: '2026-11-21T12:00:00.000Z' },
    ...{ cacheKey: 'key of b1', arch: 'x86_64', image: 'web@b1', state: 'current' },
  });
  await publish('b2', { key: 'key of b1' });
  expect((await show()).deployments[0]?.state).toBe('current');
  await publish('b3');
  expect((await show()).deployments[0]?.state).toBe('stale');
  await rm(join(paths.artifacts, 'images'), { recursive: true });
  expect((await show()).deployments[0]?.state).toBe('gone');
});

test('an earlier build can be deployed; one that is not there cannot', async () => {
  await publish('b1');
  await publish('b2');
  expect(await recordDeployment({ paths, host }, { ...pve, build: 'b1' }, signal)).toMatchObject({ state: 'stale' });
  for (const wrong of [{ build: 'b9' }, { arch: 'aarch64' as const }, { name: 'wbe' }]) {
    const attempt = recordDeployment({ paths, host }, { ...pve, ...wrong }, signal);
    await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
});

test('a deployment is struck off once', async () => {
  await publish('b1');
  await recordDeployment({ paths, host }, pve, signal);
  expect(await forgetDeployment(paths, pve, signal)).toMatchObject({ id: '9000' });
  await expect(forgetDeployment(paths, pve, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect((await show()).deployments).toEqual([]);
});

test('a registry that is behind the tree follows it at the next start; deployments and comments stay', async () => {
  await publish('b1');
  await recordDeployment({ paths, host }, pve, signal);
  const before = await text();
  await publish('b2');
  await writeFile(file(), `${before}# by hand\n`);
  expect((await show()).images[0]?.build).toBe('b2');
  expect(await text()).toContain('image: web@b2');
  expect(await text()).toContain('# by hand');
  expect(await text()).toContain('id: "9000"');
});

test('a build with nothing to do looks at no manifest but its own, and sees all the same where the registry is behind', async () => {
  const other = await publish('b1', { image: 'db' });
  const own = manifestOf('b2');
  await publish('b2');
  const before = await text();
  await writeFile(join(other, 'manifest.json'), 'what is not read cannot be seen to be broken');
  expect(await isNamedInRegistry(paths, own)).toBe(true);
  await settleTree(paths, signal, true);
  expect(await text()).toBe(before);
  await rm(join(other, 'manifest.json'));
  expect(await isNamedInRegistry(paths, own)).toBe(false);
});

test.each([
  ['of another build', 'image: web@b1', 'image: web@b0'],
  ['with another digest', 'digest: sha256:b1', 'digest: sha256:b0'],
  ['of an image that is gone', 'web:', 'old:'],
])('an entry %s is seen by the build whose it is', async (_, is, was) => {
  await publish('b1');
  await writeFile(file(), (await text()).replace(is, was));
  expect(await isNamedInRegistry(paths, manifestOf('b1'))).toBe(false);
});

test('a registry that was lost is made again from the manifests', async () => {
  await publish('b1');
  const before = await text();
  await rm(file());
  await rebuildRegistry(paths, signal);
  expect(await text()).toBe(before);
});

test.each([['version: 2\n'], ['images: [\n']])(
  '%j is never written over, and nothing is published beside it',
  async (broken) => {
    await publish('b1');
    await writeFile(file(), broken);
    const refusal = { code: 'SPEC_INVALID' };
    await expect(publish('b2')).rejects.toMatchObject(refusal);
    await expect(show()).rejects.toMatchObject(refusal);
    await expect(rebuildRegistry(paths, signal)).rejects.toMatchObject(refusal);
    await expect(recordDeployment({ paths, host }, pve, signal)).rejects.toMatchObject(refusal);
    await expect(collectGarbage(paths, { dryRun: false }, host, signal)).rejects.toMatchObject(refusal);
    expect(await text()).toBe(broken);
    const stable = await readFile(join(imageFolder(paths, 'web', 'x86_64'), 'manifest.json'), 'utf8');
    expect(stable).toContain('"build": "b1"');
  },
);

test('those who may only read get what the tree has', async () => {
  await publish('b1');
  const before = await text();
  await publish('b2');
  await writeFile(file(), before);
  const readOnly = Object.assign(new Error('read-only file system'), { code: 'EROFS' });
  const aborted = AbortSignal.abort(readOnly);
  // Waiting for the lock fails as writing would.
  const { withLock } = await import('../host/lock.ts');
  await withLock(join(paths.locks, 'artifacts.lock'), { signal }, async () => {
    expect((await showRegistry(paths, aborted)).images[0]?.build).toBe('b2');
  });
  expect(await text()).toBe(before);
});

const gc = (dryRun = false) => collectGarbage(paths, { dryRun }, host, signal);

test('gc removes what the rule of an image gives up, and says why; what is deployed stays', async () => {
  for (const build of ['b1', 'b2', 'b3', 'b4', 'b5']) await publish(build, { keep: { last: 2 } });
  await recordDeployment({ paths, host }, { ...pve, build: 'b1' }, signal);
  await rest();
  const dry = await gc(true);
  expect(dry.removed.map(({ name, why }) => `${name}: ${why}`).sort()).toEqual([
    'web@b2 x86_64: not one of the newest 2',
    'web@b3 x86_64: not one of the newest 2',
  ]);
  expect(dry.builds.map(({ name, why }) => `${name}: ${why}`)).toEqual([
    'web@b1 x86_64: deployed on pve',
    'web@b4 x86_64: one of the newest 2',
    'web@b5 x86_64: current',
  ]);
  expect(await builds()).toEqual(['b5', 'b4', 'b3', 'b2', 'b1']);
  expect((await gc()).removed.map(({ name }) => name)).toEqual(dry.removed.map(({ name }) => name));
  expect(await builds()).toEqual(['b5', 'b4', 'b1']);
});

test('the rule of the project goes before the one that an image was built with', async () => {
  for (const build of ['b1', 'b2', 'b3']) await publish(build, { keep: { last: 1 } });
  await rest();
  const around = { ...host, keepOf: () => ({ last: 3 }) };
  expect((await collectGarbage(paths, { dryRun: false }, around, signal)).removed).toEqual([]);
});

test('after a publish the earlier builds go that the rule does not speak for, unless they are in use', async () => {
  for (const build of ['b1', 'b2', 'b3']) await publish(build);
  const used = await publish('b4');
  await publish('b5');
  await rest();
  await utimes(used, nowMs / 1000, nowMs / 1000);
  const retire = () => retireBuilds(paths, { image: 'web', arch: 'x86_64', keep: { last: 1 } }, nowMs, signal);
  expect(await retire()).toEqual(['b3', 'b2', 'b1']);
  expect(await builds()).toEqual(['b5', 'b4']);
  const index = await readFile(join(paths.artifacts, 'streams', 'v1', 'images.json'), 'utf8');
  expect(index).not.toContain('b2'.padEnd(64, '0'));
});

test('what a name led to until now stays for a while, for those who read it', async () => {
  await publish('b1');
  await rest();
  await publish('b2');
  const retire = (now: number) => retireBuilds(paths, { image: 'web', arch: 'x86_64', keep: { last: 1 } }, now, signal);
  expect(await retire(Date.now())).toEqual([]);
  expect(await retire(Date.now() + 120_000)).toEqual(['b1']);
});

test('builds whose removal was cut short are forgotten by the next start', async () => {
  await publish('b1');
  const folder = await publish('b2');
  const doomed = join(folder, '..', '.x86_64-b0.doomed');
  await mkdir(doomed);
  await show();
  await expect(readFile(doomed)).rejects.toMatchObject({ code: 'ENOENT' });
});
