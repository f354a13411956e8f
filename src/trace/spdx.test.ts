import { expect, test } from 'vitest';
import type { Manifest } from '../core/manifest.ts';
import { spdx } from './spdx.ts';

const manifest: Manifest = {
  ...{ schemaVersion: 1, image: 'x', arch: 'x86_64', description: '', build: 'b1', key: 'abc', seconds: 3 },
  builtAt: '2026-11-21T12:00:00.123Z',
  source: { kind: 'packages', options: {}, pin: null },
  ...{ pins: {}, tools: {}, steps: [], checks: [] },
  system: { ID: 'debian', VERSION_ID: '13', DEBIAN_VERSION: '13.2' },
  builder: { ingot: '0.1.0', platform: 'linux', arch: 'x64' },
  packages: [{ name: 'libstdc++6', version: '14.2.0-19', arch: 'amd64', type: 'deb' }],
  materials: [{ name: 't.tgz', uri: 'https://example.org/t.tgz', digest: { sha256: 'ab'.repeat(32) } }],
  artifacts: [{ file: 'x.raw', format: 'raw', bytes: 1, sha256: 'cd'.repeat(32) }],
};

test('what SPDX 2.3 asks of a document is there, and every part hangs on the image', () => {
  const document = JSON.parse(spdx(manifest));
  expect(document).toMatchObject({
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    creationInfo: { created: '2026-11-21T12:00:00Z', creators: ['Tool: ingot-0.1.0'] },
  });
  expect(document.packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID)).toEqual([
    'SPDXRef-Image',
    'SPDXRef-Package-1',
    'SPDXRef-Download-1',
  ]);
  expect(document.packages[1].externalRefs[0].referenceLocator).toBe(
    'pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=debian-13',
  );
  expect(document.packages[2]).toMatchObject({ downloadLocation: 'https://example.org/t.tgz' });
  expect(document.relationships).toEqual([
    { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-Image' },
    { spdxElementId: 'SPDXRef-Image', relationshipType: 'CONTAINS', relatedSpdxElement: 'SPDXRef-Package-1' },
    { spdxElementId: 'SPDXRef-Image', relationshipType: 'CONTAINS', relatedSpdxElement: 'SPDXRef-Download-1' },
  ]);
});

test('the same build has the same document, another one another name space', () => {
  expect(spdx(manifest)).toBe(spdx({ ...manifest }));
  const space = (one: Manifest) => JSON.parse(spdx(one)).documentNamespace;
  expect(space(manifest)).not.toBe(space({ ...manifest, build: 'b2' }));
});
