import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { imageOf } from '../../test/support/spec-project.ts';
import type { StepContext } from '../core/kinds.ts';
import type { Plan } from '../core/plan.ts';
import { createHost } from '../host/host.ts';
import { packedFile, saveLayer } from '../store/layers.ts';
import { type StorePaths, storePaths } from '../store/paths.ts';
import { placeSidecars } from './sidecars.ts';
import { withStepContext } from './step-context.ts';

let home = '';
let paths: StorePaths;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-sidecars-'));
  paths = storePaths(home);
});
afterEach(() => rm(home, { recursive: true }));

const host = createHost();
const spec = imageOf('source: { packages: { suite: trixie } }\ndisk: 8G\nformats: [qcow2]\n');
const artifact = { file: `${spec.name}.qcow2`, format: 'qcow2', bytes: 1, sha256: '' };

async function step(key: string, action: (ctx: StepContext) => Promise<unknown>): Promise<void> {
  const layer = join(home, `layer-${key}`);
  await mkdir(layer);
  await writeFile(packedFile(layer), 'a layer');
  const workshop = { host, kinds: fakeKinds, root: home, paths, secret: (name: string) => name };
  const ctx = { host, signal: new AbortController().signal, emit: () => undefined, step: key };
  await withStepContext({ workshop, spec, folder: home, layer }, ctx, action);
  await saveLayer(paths, key, layer, { title: key, removed: [], seconds: 0 });
}

async function place(keys: readonly string[]) {
  const steps = keys.map((key) => ({ key, title: key }));
  const folder = join(home, 'artifacts');
  await mkdir(folder, { recursive: true });
  const ctx = { host, signal: new AbortController().signal, emit: () => undefined, step: 'publish' };
  return placeSidecars(
    paths,
    { stages: [{ bench: 'tree', steps }] } as unknown as Plan,
    { folder, artifacts: [artifact] },
    ctx,
  );
}

test('what a step writes beside the artifacts is kept with its layer and placed for everybody to read', async () => {
  await step('one', (ctx) => writeFile(ctx.sidecar('versions.txt'), 'hello', { mode: 0o600 }));
  const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
  expect(await place(['one'])).toEqual([{ file: 'versions.txt', bytes: 5, sha256 }]);
  const placed = join(home, 'artifacts', 'versions.txt');
  expect(await readFile(placed, 'utf8')).toBe('hello');
  expect((await stat(placed)).mode & 0o777).toBe(0o644);
});

test('of two files of one name the one of the later step counts', async () => {
  await step('one', (ctx) => writeFile(ctx.sidecar('a'), 'first'));
  await step('two', (ctx) => writeFile(ctx.sidecar('a'), 'second'));
  await step('three', (ctx) => writeFile(ctx.sidecar('b'), 'third'));
  expect((await place(['one', 'two', 'three'])).map(({ file }) => file)).toEqual(['a', 'b']);
  expect(await readFile(join(home, 'artifacts', 'a'), 'utf8')).toBe('second');
});

test('a name of ours is refused when it is asked for, and when a shared layer brings it', async () => {
  const ask = (name: string) => step(name.replaceAll('/', '-'), async (ctx) => ctx.sidecar(name));
  await expect(ask('manifest.json')).rejects.toThrow('Ingot itself');
  await expect(ask(artifact.file)).rejects.toThrow('an artifact of this image');
  await expect(ask('../x')).rejects.toMatchObject({ code: 'SPEC_INVALID' });
  await mkdir(join(paths.layers, 'shared'), { recursive: true });
  await writeFile(join(paths.layers, 'shared', `sidecar.${artifact.file}`), '');
  await expect(place(['shared'])).rejects.toThrow('shared: ');
});

test('work files of a step are its own and gone afterwards, also when it failed', async () => {
  let folder = '';
  const fail = step('one', async (ctx) => {
    folder = ctx.folder;
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    throw new Error('failed');
  });
  await expect(fail).rejects.toThrow('failed');
  expect(await stat(folder).catch(() => undefined)).toBeUndefined();
});
