import { expect, test } from 'vitest';
import { refusedSidecar } from './sidecars.ts';

test.each(['os-release', 'versions.txt', 'Packages_2.json', 'a+b', 'contents', 'manifest.json.txt'])(
  '%s is taken',
  (name) => {
    expect(refusedSidecar(name, ['lab.qcow2'])).toBeUndefined();
  },
);

test.each([
  ...['', '.', '..', '.hidden', 'a/b', '../a', '-a', 'a b', 'a\n', 'x'.repeat(101)],
  ...['manifest.json', 'image-version.txt', 'contents.tsv.zst', 'sbom.cdx.json', 'provenance.intoto.jsonl'],
  ...['lab.qcow2', 'lab.qcow2.sha256', 'other.sha256'],
])('%j is refused', (name) => {
  expect(refusedSidecar(name, ['lab.qcow2'])).toMatch(/.+/);
});
