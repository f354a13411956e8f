import { expect, test } from 'vitest';
import { fillBuilds, fillStore, type Squeeze } from './full-disk.ts';
import { scale } from './scale.ts';

const twin = (name: string) => new URL(`programs/twin-${name}.ts`, import.meta.url).pathname;
const kib = 1024;

test.concurrent('a publish that writes in place is found out on a full disk', async () => {
  const { problems } = await fillBuilds({ moment: 'check', room: 500 * kib, step: 20_000 * kib }, twin('in-place'));
  expect(problems.join('\n')).toMatch(/small\.\w+ is .* says/);
});

test.concurrent('an engine that does not know a full disk is found out', async () => {
  const { problems } = await fillBuilds({ moment: 'check', room: 4 * kib, step: 20_000 * kib }, twin('no-room'));
  expect(problems.join('\n')).toMatch(/exit code 70/);
});

test.concurrent('a store that runs out of blocks says what it needs, stays whole and works once there is room', async () => {
  const { phases, problems } = await fillStore('bytes');
  expect(problems).toEqual([]);
  const hit = [...phases.keys()];
  const parts = ['pin', 'layer', 'history', 'checks', 'publish', 'index', 'registry', 'manifest'];
  expect(hit).toEqual(expect.arrayContaining(parts));
});

test.concurrent('a store that runs out of inodes says what it needs, stays whole and works once there is room', async () => {
  const { phases, problems } = await fillStore('inodes');
  expect(problems).toEqual([]);
  expect([...phases.keys()]).toEqual(expect.arrayContaining(['pin', 'layer', 'publish', 'link']));
});

// With the files that there is no room for at one size or another.
const squeezes: readonly (Squeeze & { readonly files: readonly string[] })[] = [
  { moment: 'source', room: 0, step: 3000 * kib, files: ['layer.tar.zst', 'disk.raw'] },
  { moment: 'format', room: 0, step: 1500 * kib, files: ['small.qcow2', 'small.raw.zst'] },
  { moment: 'check', room: 0, step: 4 * kib, files: ['manifest.json', 'contents.tsv.zst', 'index.json'] },
];

test.concurrent.for(squeezes)(
  'a build whose disk fills up from $moment on says what it needs, and is finished once there is room',
  async ({ moment, room, step, files }) => {
    const { phases, problems } = await fillBuilds({ moment, room, step: Math.max(4 * kib, step / scale) });
    expect(problems).toEqual([]);
    expect([...phases.keys()]).toEqual(expect.arrayContaining([...files]));
  },
);
