import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ImageSpec } from '../core/spec.ts';
import { createHost } from '../host/host.ts';
import type { Boundary } from '../plan/pick-step.ts';
import type { Entered } from '../run/recording.ts';
import type { Workshop } from '../run/workshop.ts';
import { prepareRecording } from './record-step.ts';

let root = '';
const text = `source: { image: base }
steps:
  - upgrade: true # all

  # last
  - shell: scripts/a.sh
`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ingot-record-'));
  await mkdir(join(root, 'images'));
  await writeFile(join(root, 'images', 'web.yaml'), text, { mode: 0o640 });
});
afterEach(() => rm(root, { recursive: true }));

/** Steps of the image, each written in the file of that name; the place is after `count` of them. */
async function recorder(files: readonly string[], count: number, script?: string) {
  const place = (name: string) => ({ file: join(root, name), line: 1, column: 1 });
  const steps = files.map((name) => ({ place: place(name) }));
  return prepareRecording({
    workshop: { host: createHost(), root } as Workshop,
    spec: { name: 'web', file: join(root, 'images/web.yaml'), steps } as unknown as ImageSpec,
    boundary: { count } as Boundary,
    how: 'ingot shell',
    ...(script === undefined ? {} : { script }),
  });
}

const own = 'images/web.yaml';
const entered: readonly Entered[] = [
  { command: 'touch /a', exitCode: 0 },
  { command: 'false', exitCode: 1 },
];
const read = (path: string) => readFile(join(root, path), 'utf8');

test('what was entered becomes a script and a step in its place; the file keeps all else and its mode', async () => {
  const recorded = await (await recorder([own, own], 1))(entered);
  expect(recorded).toEqual({
    commands: ['touch /a'],
    failed: [{ command: 'false', exitCode: 1 }],
    doubts: [],
    script: join(root, 'scripts/web-step-2.sh'),
    step: '- shell: scripts/web-step-2.sh',
    place: { file: join(root, own), line: 4 },
  });
  expect(await read(own)).toBe(text.replace('# all\n', '# all\n  - shell: scripts/web-step-2.sh\n'));
  expect((await stat(join(root, own))).mode & 0o777).toBe(0o640);
  expect(await read('scripts/web-step-2.sh')).toBe('#!/bin/bash -e\n# Recorded with: ingot shell\ntouch /a\n');
  expect((await stat(join(root, 'scripts/web-step-2.sh'))).mode & 0o777).toBe(0o755);
  expect([await readdir(join(root, 'images')), await readdir(join(root, 'scripts'))]).toEqual([
    ['web.yaml'],
    ['web-step-2.sh'],
  ]);
});

test('a script that is there is never written over', async () => {
  await mkdir(join(root, 'scripts'));
  await writeFile(join(root, 'scripts/web-step-2.sh'), 'mine');
  expect(await (await recorder([own, own], 1))(entered)).toMatchObject({
    script: join(root, 'scripts/web-step-2-2.sh'),
  });
  await expect(recorder([own], 1, 'web-step-2')).rejects.toMatchObject({ code: 'USAGE' });
  // Somebody may write it while the shell is open.
  const late = await recorder([own], 1, 'late');
  await writeFile(join(root, 'scripts/late.sh'), 'theirs');
  await expect(late(entered)).rejects.toMatchObject({ message: 'scripts/late.sh is there already' });
  expect([await read('scripts/web-step-2.sh'), await read('scripts/late.sh')]).toEqual(['mine', 'theirs']);
});

test('an image that is a link stays one', async () => {
  await rm(join(root, own));
  await writeFile(join(root, 'real.yaml'), text);
  await symlink('../real.yaml', join(root, own));
  await (await recorder([own, own], 2))(entered);
  expect(await read('real.yaml')).toBe(`${text}  - shell: scripts/web-step-3.sh\n`);
  expect((await readdir(join(root, 'images'), { withFileTypes: true }))[0]?.isSymbolicLink()).toBe(true);
});

test('steps that fragments bring come before those of the image', async () => {
  const fragment = 'fragments/base.yaml';
  expect(await (await recorder([fragment, own, own], 2))(entered)).toMatchObject({ place: { line: 4 } });
  const inFragment = await (await recorder([fragment, own, own], 0))(entered);
  expect(inFragment.place).toBeUndefined();
  expect(inFragment.why).toContain(fragment);
});

test('a file that was changed while the shell was open is left alone', async () => {
  const record = await recorder([own, own], 1);
  await writeFile(join(root, own), `${text}  - reboot: {}\n`);
  const recorded = await record(entered);
  expect([recorded.place, recorded.why]).toEqual([undefined, `${join(root, own)} was changed in the meantime`]);
  expect(await read(own)).toBe(`${text}  - reboot: {}\n`);
  expect(await read('scripts/web-step-2.sh')).toContain('touch /a');
});

test('where nothing worked nothing is written', async () => {
  const recorded = await (await recorder([own, own], 1))(entered.slice(1));
  expect(recorded).toEqual({ commands: [], failed: [{ command: 'false', exitCode: 1 }], doubts: [] });
  expect([await read(own), await readdir(root)]).toEqual([text, ['images']]);
});
