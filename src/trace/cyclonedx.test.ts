import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { expect, test } from 'vitest';
import { type Bom, cycloneDx } from './cyclonedx.ts';

const bom: Bom = {
  image: 'debian-13',
  arch: 'x86_64',
  key: 'ab'.repeat(32),
  system: { ID: 'debian', VERSION_ID: '13', DEBIAN_VERSION: '13.2' },
  sha256: 'cd'.repeat(32),
  builder: { ingot: '0.1.0', platform: 'linux', arch: 'x64' },
  packages: [
    { name: 'libc6', version: '2.41-12', arch: 'amd64', type: 'deb', source: 'glibc@2.41-12' },
    { name: 'libstdc++6', version: '1:14.2.0-19+b1', arch: 'amd64', type: 'deb' },
    { name: 'old', version: '1', arch: 'all' },
  ],
  materials: [
    { name: 'tool.tgz', uri: 'https://example.org/a/tool.tgz', digest: { sha256: 'ef'.repeat(32) } },
    { name: 'disk.raw', digest: { sha512: '12'.repeat(64) } },
  ],
};

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

test.each([
  ['everything', bom],
  ['a moment that was said', { ...bom, epoch: 1763726400 }],
  ['nothing inside', { ...bom, packages: [], materials: [], system: {} }],
  ['a package twice', { ...bom, packages: [...bom.packages, ...bom.packages] }],
])('the official strict validator takes a bill of materials with %s', async (_, one) => {
  expect(await validator.validate(cycloneDx(one))).toBeNull();
});

test('the validator does find what is wrong', async () => {
  expect(await validator.validate(cycloneDx(bom).replace('"library"', '"shelf"'))).not.toBeNull();
});

test('the same disk has the same bill, another one another number', () => {
  expect(cycloneDx(bom)).toBe(cycloneDx({ ...bom }));
  const number = (one: Bom) => JSON.parse(cycloneDx(one)).serialNumber;
  expect(number(bom)).not.toBe(number({ ...bom, sha256: 'ce'.repeat(32) }));
  expect(JSON.parse(cycloneDx(bom)).metadata.timestamp).toBeUndefined();
});

test('packages, downloads and what the image is are told', () => {
  const { components, dependencies, metadata } = JSON.parse(cycloneDx({ ...bom, epoch: 0 }));
  expect(components.map(({ purl, name }: { purl?: string; name: string }) => purl ?? name)).toEqual([
    'pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc%402.41-12',
    'pkg:deb/debian/libstdc%2B%2B6@1%3A14.2.0-19%2Bb1?arch=amd64&distro=debian-13',
    'old',
    'tool.tgz',
    'disk.raw',
  ]);
  expect(dependencies[0].dependsOn).toHaveLength(5);
  expect(metadata.component).toMatchObject({ type: 'operating-system', name: 'debian-13', version: '13.2' });
  expect(metadata.timestamp).toBe('1970-01-01T00:00:00.000Z');
});
