import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { imageOf, projectOf } from '../../test/support/spec-project.ts';
import type { Json } from '../core/keys.ts';
import { byName, type Kinds } from '../core/kinds.ts';
import { createHost } from '../host/host.ts';
import { sourceId } from '../plan/inputs.ts';
import { storePaths } from '../store/paths.ts';
import { type Ask, pinImages } from './pin.ts';
import type { Workshop } from './workshop.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-pin-'));
  await mkdir(join(folder, 'files'));
  await writeFile(join(folder, 'files', 'motd'), 'hello');
});
afterEach(() => rm(folder, { recursive: true }));

const spec = imageOf(
  'source: { packages: { suite: trixie } }\ndisk: 8G\nsteps:\n  - copy: { from: file, path: files, to: /x }\n',
);
const host = createHost();

function workshopOf(kinds: Kinds): Workshop {
  return { host, kinds, root: folder, paths: storePaths(join(folder, 'home')), secret: (name) => name };
}

const context = () => ({ host, signal: new AbortController().signal, emit: () => undefined, step: '' });

function pin(ask: Ask, kinds: Kinds = fakeKinds) {
  return pinImages(workshopOf(kinds), [spec], { ask }, context());
}

/** The fake kinds, with sources whose pin is this. */
function answering(pinned: () => Promise<Json>): Kinds {
  const sources = [...fakeKinds.sources.values()].map((source) =>
    source.pin === undefined ? source : { ...source, pin: pinned },
  );
  return { ...fakeKinds, sources: byName(sources) };
}

const digestNow = async () => (await pin('none')).files['files'];

test('a folder has another digest whenever something in it is another, and the same when it is put back', async () => {
  const file = join(folder, 'files', 'motd');
  const seen = [await digestNow()];
  await chmod(file, 0o755);
  seen.push(await digestNow());
  await writeFile(file, 'hello!');
  seen.push(await digestNow());
  await rename(file, `${file}2`);
  seen.push(await digestNow());
  await symlink('motd2', file);
  seen.push(await digestNow());
  await mkdir(join(folder, 'files', 'empty'));
  seen.push(await digestNow());
  expect(new Set(seen).size).toBe(6);
  await rm(join(folder, 'files'), { recursive: true });
  await mkdir(join(folder, 'files'));
  await writeFile(file, 'hello');
  expect(await digestNow()).toBe(seen[0]);
});

test('a step that is given a link uses what it leads to, so that counts', async () => {
  await rename(join(folder, 'files'), join(folder, 'elsewhere'));
  await symlink('elsewhere', join(folder, 'files'));
  const before = await digestNow();
  await writeFile(join(folder, 'elsewhere', 'motd'), 'changed');
  expect(await digestNow()).not.toBe(before);
});

test('a file that is not there is named, and a pipe is refused instead of being waited for', async () => {
  execFileSync('mkfifo', [join(folder, 'files', 'pipe')]);
  await expect(pin('none')).rejects.toMatchObject({
    code: 'SPEC_INVALID',
    message: expect.stringContaining('files/pipe'),
  });
  await rm(join(folder, 'files'), { recursive: true });
  await expect(pin('none')).rejects.toMatchObject({
    code: 'SPEC_INVALID',
    message: 'the file files is not in the project',
  });
});

test('a source is asked once and remembered, again when all are asked, and never for a look', async () => {
  let asked = 0;
  const pinned = async (): Promise<Json> => ({ release: ++asked });
  const kinds = answering(pinned);
  const id = sourceId(spec.source, spec.arch);
  const found = [];
  for (const ask of ['none', 'unknown', 'unknown', 'all', 'none'] as const)
    found.push((await pin(ask, kinds)).sources[id]);
  expect(found).toEqual([undefined, { release: 1 }, { release: 1 }, { release: 2 }, { release: 2 }]);
});

test('an image made from others is pinned to their keys, which follow everything they are made from', async () => {
  const { images } = projectOf({
    'images/base.yaml':
      'source: { packages: { suite: trixie } }\nsteps: [{ copy: { from: file, path: files, to: /x } }]\n',
    'images/node.yaml': 'source: { image: base }\n',
    'images/top.yaml': 'source: { image: node }\n',
  });
  const pinsOf = async (request: Parameters<typeof pinImages>[2], kinds = fakeKinds, specs = images) => {
    const { sources } = await pinImages(workshopOf(kinds), specs, request, context());
    return specs.map(({ source, arch }) => sources[sourceId(source, arch)]);
  };
  expect(
    await pinsOf(
      { ask: 'none' },
      answering(async () => ({ release: 1 })),
    ),
  ).toEqual([undefined, undefined, undefined]);
  const first = await pinsOf(
    { ask: 'unknown' },
    answering(async () => ({ release: 1 })),
  );
  expect(first).toEqual([
    { release: 1 },
    { base: expect.stringMatching(/^[0-9a-f]{64}$/) },
    { node: expect.any(String) },
  ]);
  expect(await pinsOf({ ask: 'none' })).toEqual(first);
  await writeFile(join(folder, 'files', 'motd'), 'changed');
  const second = await pinsOf({ ask: 'none' });
  expect([second[0], second[1] === first[1], JSON.stringify(second[2]) === JSON.stringify(first[2])]).toEqual([
    { release: 1 },
    false,
    false,
  ]);
  const keys = new Map([['node x86_64', 'as built']]);
  expect(await pinsOf({ ask: 'none', keys }, fakeKinds, images.slice(2))).toEqual([{ node: 'as built' }]);
});
