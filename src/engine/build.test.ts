import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { manifestOf } from '../../test/support/manifests.ts';
import { projectOf, type SpecFiles } from '../../test/support/spec-project.ts';
import type { Io } from '../cli/engine.ts';
import { exitCodeOfAll } from '../cli/outcomes.ts';
import type { BuildRequest } from '../cli/requests/images.ts';
import { IngotError } from '../core/errors.ts';
import { byName } from '../core/kinds.ts';
import type { ImageSpec } from '../core/spec.ts';
import { createHost } from '../host/host.ts';
import { pinImages } from '../run/pin.ts';
import { keyOf } from '../run/plan.ts';
import type { Workshop } from '../run/workshop.ts';
import { publishBuild } from '../store/artifacts.ts';
import { storePaths } from '../store/paths.ts';
import { buildAll, isForced } from './build.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-build-'));
});
afterEach(() => rm(folder, { recursive: true }));

const host = createHost();
const signal = new AbortController().signal;
const ctx = { host, signal, emit: () => undefined, step: '' };
const request: BuildRequest = {
  ...{
    images: [],
    arch: 'native',
    force: false,
    refresh: false,
    checks: false,
    warm: false,
    onError: 'clean',
    jobs: 4,
  },
};

/** The fake kinds; the packages of one suite cannot be had. */
const sources = [...fakeKinds.sources.values()].map((source): typeof source => ({
  ...source,
  ...(source.pin === undefined ? {} : { pin: async (options) => pinned(options as { suite: string }) }),
}));

function pinned({ suite }: { readonly suite: string }): string {
  if (suite === 'broken') throw new IngotError({ code: 'TIMEOUT', message: 'the archive does not answer' });
  return suite;
}

function workshop(): Workshop {
  const kinds = { ...fakeKinds, sources: byName(sources) };
  return { host, kinds, root: folder, paths: storePaths(join(folder, 'home')), secret: (name) => name };
}

/** Put a finished build of each image there, so that building it is finding it. */
async function finish(images: readonly ImageSpec[], names: readonly string[]): Promise<void> {
  const { paths } = workshop();
  const wanted = images.filter(({ name }) => names.includes(name));
  const lock = await pinImages(workshop(), wanted, { ask: 'unknown' }, ctx);
  for (const spec of wanted) {
    const staged = join(paths.work, spec.name);
    await mkdir(staged, { recursive: true });
    const key = keyOf(workshop(), spec, lock) ?? '';
    const manifest = manifestOf('b1', { image: spec.name, arch: spec.arch, key, artifacts: [] });
    await writeFile(join(staged, 'manifest.json'), JSON.stringify(manifest));
    await publishBuild(paths, staged, manifest, signal);
  }
}

async function build(images: readonly ImageSpec[], given: Partial<BuildRequest> = {}, stop = signal) {
  const told: string[] = [];
  const names = new Map<string, string>();
  const emit: Io['emit'] = (event) => {
    if (event.type === 'build.start') names.set(event.build, event.image);
    if (event.type === 'build.start') told.push(`+${event.image}`);
    if (event.type === 'build.end') told.push(`-${names.get(event.build)} ${event.outcome}`);
  };
  const io: Io = { signal: stop, emit, withTerminal: (run) => run() };
  const results = await buildAll(workshop(), images, { ...request, ...given }, io);
  return { told, results, outcomes: results.map(({ image, outcome }) => `${image} ${outcome}`) };
}

const family: SpecFiles = {
  'images/good.yaml': 'source: { packages: { suite: trixie } }\n',
  'images/good-child.yaml': 'source: { image: good }\n',
  'images/bad.yaml': 'source: { packages: { suite: broken } }\n',
  'images/bad-child.yaml': 'source: { image: bad }\n',
  'images/bad-grandchild.yaml': 'source: { image: bad-child }\n',
};

test('children of a failed image are skipped with the reason, and the others are built', async () => {
  const { images } = projectOf(family);
  await finish(images, ['good', 'good-child']);
  const { results, outcomes } = await build(images);
  expect(outcomes.sort()).toEqual([
    'bad failed',
    'bad-child skipped',
    'bad-grandchild skipped',
    'good cached',
    'good-child cached',
  ]);
  const errors = Object.fromEntries(results.map(({ image, error }) => [image, error]));
  expect(errors['bad-child']).toEqual({ code: 'TIMEOUT', message: 'not built: it starts from bad, which failed' });
  expect(errors['bad-grandchild']?.message).toBe('not built: it starts from bad-child, which was skipped');
  expect(exitCodeOfAll(results, signal)).toBe(7);
});

test('when all that was asked for hangs on one that failed, the exit code is its own', async () => {
  const { images } = projectOf(family, { images: ['bad-grandchild'] });
  const { results, told } = await build(images);
  expect(told).toEqual([
    ...['+bad', '-bad failed', '+bad-child', '-bad-child skipped'],
    ...['+bad-grandchild', '-bad-grandchild skipped'],
  ]);
  expect(exitCodeOfAll(results, signal)).toBe(124);
});

test('a child starts when its parent is done, with the key the parent was built with', async () => {
  const { images } = projectOf(family, { images: ['good-child'] });
  await finish(images, ['good', 'good-child']);
  const { told, results } = await build(images);
  expect(told).toEqual(['+good', '-good cached', '+good-child', '-good-child cached']);
  const lock = await pinImages(workshop(), images, { ask: 'none' }, ctx);
  expect(results.map(({ key }) => key)).toEqual(images.map((spec) => keyOf(workshop(), spec, lock)));
});

test('images that have nothing to do with each other are built side by side, at most so many', async () => {
  const { images } = projectOf(family, { images: ['good', 'bad'] });
  await finish(images, ['good']);
  expect((await build(images)).told.slice(0, 2)).toEqual(['+bad', '+good']);
  expect((await build(images, { jobs: 1 })).told).toEqual(['+bad', '-bad failed', '+good', '-good cached']);
});

test('a pass begins when the one before is over, whatever came of it', async () => {
  const { images } = projectOf({
    'images/a.yaml': 'source: { packages: { suite: trixie } }\npass: 2\n',
    'images/b.yaml': 'source: { packages: { suite: broken } }\n',
    'images/c.yaml': 'source: { packages: { suite: trixie } }\npass: 2\n',
  });
  await finish(images, ['a', 'c']);
  const { told } = await build(images);
  expect(told.slice(0, 4)).toEqual(['+b', '-b failed', '+a', '+c']);
});

test('after a stop nothing is skipped: everything is cancelled', async () => {
  const stop = AbortSignal.abort(new IngotError({ code: 'CANCELLED', message: 'interrupted' }));
  const { outcomes } = await build(projectOf(family, { images: ['bad-grandchild'] }).images, {}, stop);
  expect(outcomes).toEqual(['bad cancelled', 'bad-child cancelled', 'bad-grandchild cancelled']);
});

test('only what was named is forced, not what it is made from', () => {
  const base = { name: 'base', pass: 2 } as ImageSpec;
  expect(isForced(base, { ...request, force: true, images: ['child'] })).toBe(false);
  expect(isForced(base, { ...request, force: true, images: ['base'] })).toBe(true);
  expect(isForced(base, { ...request, force: true })).toBe(true);
  expect(isForced(base, { ...request, images: ['base'] })).toBe(false);
  expect(isForced(base, { ...request, force: true, pass: 2 })).toBe(true);
  expect(isForced(base, { ...request, force: true, pass: 3 })).toBe(false);
});
