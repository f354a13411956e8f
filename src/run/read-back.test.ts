import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { formatLab } from '../../test/support/format-lab.ts';
import { imageOf } from '../../test/support/spec-project.ts';
import type { Json } from '../core/keys.ts';
import type { ArtifactFile } from '../core/manifest.ts';
import type { KindUse } from '../core/spec.ts';
import { formats } from '../kinds/formats/index.ts';
import { storePaths } from '../store/paths.ts';
import { type BootArtifact, writeFormats } from './finish.ts';
import { proveMedia } from './prove.ts';
import { readBack } from './read-back.ts';
import type { Workshop } from './workshop.ts';

const lab = formatLab();
const all = 'qcow2 raw vmdk vhdx vdi vhd ova vma utm gcp img'.split(' ');

function workshop(): Workshop {
  const paths = storePaths(lab.path('home'));
  return { host: lab.ctx.host, kinds: { ...fakeKinds, formats }, root: lab.path(''), paths, secret: (name) => name };
}

type Wanted = string | readonly [name: string, options: Json];

/** The artifacts of a disk in these formats, in a folder of their own. */
async function write(wanted: readonly Wanted[]) {
  const disk = await lab.disk();
  const folder = lab.path('staged');
  await mkdir(folder);
  const spec = imageOf(`source: { packages: { suite: trixie } }\ndisk: 8G\nformats: [qcow2]\n`);
  const [use] = spec.formats as [KindUse];
  const uses = wanted.map((one): KindUse => {
    const [kind, options] = typeof one === 'string' ? [one, {}] : one;
    return { ...use, kind, options: formats.get(kind)?.options.parse(options) as Json };
  });
  const artifacts = await writeFormats(workshop(), { ...spec, formats: uses }, { disk, folder }, lab.ctx);
  return { spec, disk: { path: disk, format: 'raw' } as const, artifacts, folder, scratch: lab.path('') };
}

test('every format that holds a disk is read back, but not the file that is booted', async () => {
  const request = await write(all);
  const [first] = request.artifacts as [ArtifactFile];
  const booted = { path: join(request.folder, first.file), format: 'qcow2' } as const;
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
    message: `${artifact.file} does not hold the disk of this build`,
  });
});

const packed: readonly Wanted[] = [['raw', { compression: 'zstd' }], ['img', {}], 'gcp', 'vma'];

/** What the sealed disk stands for in a build without a file that QEMU starts from, with and without an ISO. */
const bootedAs: readonly (readonly [string, (disk: string, first: string) => BootArtifact])[] = [
  ['nothing but packed files', (path, sha256) => ({ path, format: 'raw', sha256 })],
  ['an ISO and packed files', (_, sha256) => ({ path: '/x.iso', format: 'iso', sha256 })],
];

async function prove(
  mediumOf: (disk: string, first: string) => BootArtifact,
  change?: (file: string) => Promise<void>,
) {
  const request = await write(packed);
  const [first] = request.artifacts as [ArtifactFile];
  await change?.(join(request.folder, first.file));
  const medium = mediumOf(request.disk.path, first.sha256);
  const spec = { ...request.spec, checks: [] };
  const proof = { ...request, spec, media: [medium], sealed: request.disk, packages: [], build: 'b', force: false };
  return proveMedia(workshop(), proof, lab.ctx);
}

test.each(bootedAs)('of %s each is unpacked and compared with the sealed disk', async (_, mediumOf) => {
  const files = ['a.raw.zst', 'a.img.xz', 'a.gcp.tar.gz', 'a.vma.zst'];
  expect((await prove(mediumOf)).map(({ title }) => title)).toEqual(files.map((file) => `${file} holds the same disk`));
});

test.each(bootedAs)('of %s one that holds another disk is found', async (_, mediumOf) => {
  const other = async (file: string) => {
    await lab.run('sh', '-c', 'head -c 64M /dev/zero | zstd -q -f -o "$0"', file);
  };
  await expect(prove(mediumOf, other)).rejects.toMatchObject({ code: 'CHECK_FAILED' });
});
