import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { formatLab } from '../../test/support/format-lab.ts';
import { imageOf } from '../../test/support/spec-project.ts';
import type { Json } from '../core/keys.ts';
import type { ArtifactFile } from '../core/manifest.ts';
import { formats } from '../kinds/formats/index.ts';
import { storePaths } from '../store/paths.ts';
import { writeFormats } from './finish.ts';
import { readBack } from './read-back.ts';
import type { Workshop } from './workshop.ts';

const lab = formatLab();
const all = 'qcow2 raw vmdk vhdx vdi vhd ova vma utm gcp img'.split(' ');

function workshop(): Workshop {
  const paths = storePaths(lab.path('home'));
  return { host: lab.ctx.host, kinds: { ...fakeKinds, formats }, root: lab.path(''), paths, secret: (name) => name };
}

/** The artifacts of a disk in these formats, in a folder of their own. */
async function write(names: readonly string[]) {
  const disk = await lab.disk();
  const folder = lab.path('staged');
  await mkdir(folder);
  const spec = imageOf(`source: { packages: { suite: trixie } }\ndisk: 8G\nformats: [qcow2]\n`);
  const uses = spec.formats.flatMap((use) =>
    names.map((kind) => ({ ...use, kind, options: formats.get(kind)?.options.parse({}) as Json })),
  );
  const artifacts = await writeFormats(workshop(), { ...spec, formats: uses }, { disk, folder }, lab.ctx);
  const booted = { path: disk, format: 'raw', sha256: 'of the sealed disk' } as const;
  return { disk: booted, artifacts, folder, scratch: lab.path('') };
}

test('every format that holds a disk is read back, but not the file that is booted', async () => {
  const request = await write(all);
  const [first] = request.artifacts as [ArtifactFile];
  const booted = { path: join(request.folder, first.file), format: 'qcow2', sha256: first.sha256 } as const;
  const records = await readBack(workshop(), { ...request, disk: booted }, lab.ctx);
  expect(records.map(({ outcome }) => outcome)).toEqual(all.slice(1).map(() => 'done'));
  expect((await readdir(lab.path(''))).filter((name) => name.endsWith('.disk'))).toEqual([]);
});

test('a live ISO holds no disk to be read back', async () => {
  const request = await write([]);
  const iso = { file: 'x.iso', format: 'iso', options: {}, bytes: 1, sha256: 'of the ISO' };
  expect(await readBack(workshop(), { ...request, artifacts: [iso] }, lab.ctx)).toEqual([]);
});

test.each(['qcow2', 'vhd', 'raw'])('a %s whose bytes are not those of the disk is found', async (format) => {
  const request = await write([format]);
  const disk = await open(request.disk.path, 'r+');
  await disk.write('another', 5000);
  await disk.close();
  const [artifact] = request.artifacts as [ArtifactFile];
  await expect(readBack(workshop(), request, lab.ctx)).rejects.toMatchObject({
    code: 'CHECK_FAILED',
    message: `${artifact.file} does not hold the disk that is booted`,
  });
});
