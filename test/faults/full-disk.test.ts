import { expect, test } from 'vitest';
import { fillBuilds, fillStore } from './full-disk.ts';

const twin = (name: string) => new URL(`programs/twin-${name}.ts`, import.meta.url).pathname;
const kib = 1024;

test('a publish that writes in place is found out on a full disk', async () => {
  const { problems } = await fillBuilds([{ moment: 'check', room: 500 * kib, step: 20_000 * kib }], twin('in-place'));
  expect(problems.join('\n')).toMatch(/small\.\w+ is .* says/);
});

test('an engine that does not know a full disk is found out', async () => {
  const { problems } = await fillBuilds([{ moment: 'check', room: 4 * kib, step: 20_000 * kib }], twin('no-room'));
  expect(problems.join('\n')).toMatch(/exit code 70/);
});

test('a store that runs out of blocks says what it needs, stays whole and works once there is room', async () => {
  const { phases, problems } = await fillStore('bytes');
  expect(problems).toEqual([]);
  const hit = [...phases.keys()];
  expect(hit).toEqual(expect.arrayContaining(['pin', 'layer', 'history', 'checks', 'publish', 'index', 'manifest']));
});

test('a store that runs out of inodes says what it needs, stays whole and works once there is room', async () => {
  const { phases, problems } = await fillStore('inodes');
  expect(problems).toEqual([]);
  expect([...phases.keys()]).toEqual(expect.arrayContaining(['pin', 'layer', 'publish', 'link']));
});

test('a build whose disk fills up anywhere ends with the bytes needed, and is finished once there is room', async () => {
  const { phases, problems } = await fillBuilds([
    { moment: 'source', room: 0, step: 4000 * kib },
    { moment: 'step', room: 0, step: 2500 * kib },
    { moment: 'format', room: 0, step: 1500 * kib },
    { moment: 'check', room: 0, step: 4 * kib },
  ]);
  expect(problems).toEqual([]);
  const wanted = [
    'layer.tar.zst',
    'disk.raw',
    'small.qcow2',
    'small.raw.zst',
    'manifest.json',
    'contents.tsv.zst',
    'index.json',
  ];
  expect([...phases.keys()]).toEqual(expect.arrayContaining(wanted));
});
