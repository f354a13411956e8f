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
import { newSigner, publicLine } from '../trace/keys.ts';
import { bootMedia, writeFormats, writeSidecars } from './finish.ts';
import { recordChecks } from './trace.ts';
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

test('the first disk and the first ISO that boot as they are get checked, in their order', () => {
  const [qcow2] = formats.filter(({ name }) => name === 'qcow2');
  if (qcow2 === undefined) throw new Error('there is one');
  const iso: typeof qcow2 = { ...qcow2, name: 'iso', boots: () => 'iso' };
  const { kinds, ...rest } = workshop();
  const both = { ...rest, kinds: { ...kinds, formats: byName([...formats, iso]) } };
  const file = (name: string, format: string) => ({ file: name, format, bytes: 1, sha256: name });
  const media = (...files: ReturnType<typeof file>[]) => bootMedia(both, '/f', files).map(({ path }) => path);
  expect(media(file('x.raw', 'raw'))).toEqual([]);
  expect(media(file('x.raw', 'raw'), file('a.qcow2', 'qcow2'), file('b.qcow2', 'qcow2'))).toEqual(['/f/a.qcow2']);
  expect(media(file('x.iso', 'iso'), file('a.qcow2', 'qcow2'))).toEqual(['/f/x.iso', '/f/a.qcow2']);
  expect(bootMedia(both, '/f', [file('x.iso', 'iso')])).toEqual([{ path: '/f/x.iso', format: 'iso', sha256: 'x.iso' }]);
});

const manifest: Manifest = {
  ...{ schemaVersion: 1, image: 'x', arch: 'x86_64', description: '', build: 'b1', key: 'abc', seconds: 3 },
  builtAt: '2026-11-21T12:00:00.000Z',
  source: { kind: 'packages', options: {}, pin: null },
  pins: {},
  system: { ID: 'debian', DEBIAN_VERSION: '13.2' },
  packages: [{ name: 'bash', version: '5.2.37-2', arch: 'amd64', type: 'deb' }],
  tools: {},
  steps: [],
  artifacts: [{ file: 'x.raw', format: 'raw', bytes: 6, sha256: createHash('sha256').update('a disk').digest('hex') }],
  checks: [],
};
const signal = new AbortController().signal;

test('beside the artifacts lie manifest, version, contents, bill of materials, provenance and key', async () => {
  await writeSidecars(workshop(), folder, manifest, { contents: 'f\t/etc\n', signer: undefined, signal });
  expect((await readdir(folder)).sort()).toEqual([
    '.cache-key',
    'contents.tsv.zst',
    'image-version.txt',
    'manifest.json',
    'provenance.intoto.jsonl',
    'sbom.cdx.json',
  ]);
  const text = (name: string) => readFile(join(folder, name), 'utf8');
  expect(JSON.parse(await text('manifest.json'))).toEqual(manifest);
  expect(await text('image-version.txt')).toBe('ID=debian\nDEBIAN_VERSION=13.2\n');
  expect(await text('.cache-key')).toBe('abc\n');
  expect(await text('sbom.cdx.json')).toContain('pkg:deb/debian/bash@5.2.37-2?arch=amd64');
  expect(zstdDecompressSync(await readFile(join(folder, 'contents.tsv.zst'))).toString()).toBe('f\t/etc\n');
});

test('with a key each file is signed too, so that the real minisign takes it', async () => {
  const signer = newSigner();
  await writeFile(join(folder, 'x.raw'), 'a disk');
  await writeSidecars(workshop(), folder, manifest, { contents: '', signer, signal });
  const check = (file: string) => {
    const argv = ['minisign', '-V', '-P', publicLine(signer.publicKey), '-m', join(folder, file)] as const;
    return host.run({ argv: [...argv, '-x', join(folder, 'x.raw.minisig')] }, { ok: [0, 1] });
  };
  expect((await check('x.raw')).stdout).toContain(
    'Signature and comment signature verified\nTrusted comment: file:x.raw',
  );
  await writeFile(join(folder, 'other'), 'a disc');
  expect((await check('other')).exitCode).toBe(1);
});

test('the provenance of a build tells of its newest checks', async () => {
  await writeSidecars(workshop(), folder, manifest, { contents: '', signer: undefined, signal });
  const checks = [{ check: 'boot', title: 'boot under bios', outcome: 'done', seconds: 9, evidence: 'login' }] as const;
  const { manifest: after } = await recordChecks(workshop(), { folder, manifest }, checks, undefined);
  expect(after.checks).toEqual(checks);
  const { payload } = JSON.parse(await readFile(join(folder, 'provenance.intoto.jsonl'), 'utf8'));
  const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString());
  expect(predicate.runDetails.byproducts.map(({ name }: { name: string }) => name)).toEqual([
    'sbom.cdx.json',
    'checks',
  ]);
  expect(predicate.runDetails.byproducts[1].annotations.results).toEqual(checks);
});
