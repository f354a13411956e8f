import { expect, test } from 'vitest';
import type { Manifest } from '../core/manifest.ts';
import { productIndex } from './streams.ts';

const build = (id: string) =>
  ({
    ...{ image: 'web', arch: 'x86_64', description: 'a web server', build: id, builtAt: `2026-11-2${id}T00:00:00Z` },
    system: { ID: 'debian', VERSION_ID: '13', VERSION_CODENAME: 'trixie' },
    artifacts: [{ file: 'web.qcow2', format: 'qcow2', bytes: 5, sha256: `digest${id}` }],
  }) as unknown as Manifest;

test('each build of an image is a version of its product, its files found by digest', () => {
  const files = productIndex([build('2'), build('1')]);
  const products = JSON.parse(files['streams/v1/images.json'] ?? '');
  expect(products).toMatchObject({ format: 'products:1.0', content_id: 'images', updated: '2026-11-22T00:00:00Z' });
  expect(products.products['ingot:web:amd64']).toMatchObject({ arch: 'amd64', os: 'debian', release: 'trixie' });
  const item = (id: string) => ({ ftype: 'qcow2', path: `blobs/sha256/digest${id}`, size: 5, sha256: `digest${id}` });
  expect(products.products['ingot:web:amd64'].versions).toEqual({
    1: { items: { 'web.qcow2': item('1') } },
    2: { items: { 'web.qcow2': item('2') } },
  });
  expect(JSON.parse(files['streams/v1/index.json'] ?? '').index.images).toMatchObject({
    path: 'streams/v1/images.json',
    products: ['ingot:web:amd64'],
  });
});
