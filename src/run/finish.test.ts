import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { imageOf } from '../../test/support/spec-project.ts';
import { byName } from '../core/kinds.ts';
import type { Manifest } from '../core/manifest.ts';
import { createHost } from '../host/host.ts';
import { storePaths } from '../store/paths.ts';
import { bootableFile, writeFormats, writeSidecars } from './finish.ts';
import type { Workshop } from './workshop.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-finish-'));
});
afterEach(() => rm(folder, { recursive: true }));

const host = createHost();
const formats = [...fakeKinds.formats.values()].map((format): typeof format => ({
  ...format,
  boots: () => (format.name === 'qcow2' ? 'qcow2' : undefined),
  write: async (_, { disk, output }) => writeFile(output, `${format.name} of ${await readFile(disk, 'utf8')}`),
}));

function workshop(): Workshop {
  const kinds = { ...fakeKinds, formats: byName(formats) };
  return { host, kinds, root: folder, paths: storePaths(folder), secret: (name) => name };
}

const spec = imageOf('source: { packages: { suite: trixie } }\ndisk: 8G\nformats: [raw, qcow2]\n');

test('every format is written beside its digest, the way sha256sum reads it', async () => {
  await writeFile(join(folder, 'disk'), 'a disk');
  const ctx = { host, signal: new AbortController().signal, emit: () => undefined, step: '' };
  const artifacts = await writeFormats(workshop(), spec, { disk: join(folder, 'disk'), folder }, ctx);
  const sha256 = createHash('sha256').update('qcow2 of a disk').digest('hex');
  expect(artifacts[1]).toEqual({
    ...{ file: `${spec.name}.qcow2`, format: 'qcow2', options: { compression: 'zstd' } },
    ...{ bytes: 15, sha256 },
  });
  expect(await readFile(join(folder, `${spec.name}.qcow2.sha256`), 'utf8')).toBe(`${sha256}  ${spec.name}.qcow2\n`);
  expect(artifacts.map(({ format }) => format)).toEqual(['raw', 'qcow2']);
});

test('the first artifact that boots as it is gets checked; none is no artifact', () => {
  const [raw, qcow2] = ['raw', 'qcow2'].map((format) => ({ file: `x.${format}`, format, bytes: 1, sha256: format }));
  if (raw === undefined || qcow2 === undefined) throw new Error('two of them');
  expect(bootableFile(workshop(), '/f', [raw, qcow2])).toEqual({
    path: '/f/x.qcow2',
    format: 'qcow2',
    sha256: 'qcow2',
  });
  expect(bootableFile(workshop(), '/f', [raw])).toBeUndefined();
});

test('beside the artifacts lie manifest, version and contents', async () => {
  const manifest = {
    schemaVersion: 1,
    image: 'x',
    system: { ID: 'debian', DEBIAN_VERSION: '13.2' },
  } as unknown as Manifest;
  await writeSidecars(workshop(), folder, manifest, 'f\t/etc\n');
  expect((await readdir(folder)).sort()).toEqual(['contents.tsv.zst', 'image-version.txt', 'manifest.json']);
  expect(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))).toEqual(manifest);
  expect(await readFile(join(folder, 'image-version.txt'), 'utf8')).toBe('ID=debian\nDEBIAN_VERSION=13.2\n');
  expect(zstdDecompressSync(await readFile(join(folder, 'contents.tsv.zst'))).toString()).toBe('f\t/etc\n');
});
