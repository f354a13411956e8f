import { expect, test } from 'vitest';
import type { Manifest } from '../core/manifest.ts';
import { cardList } from './card-list.ts';

const manifest = {
  ...{ image: 'pi', arch: 'aarch64', description: 'a Pi', builtAt: '2026-11-21T12:00:00Z', packages: [] },
  artifacts: [
    { file: 'pi.img.xz', format: 'img', bytes: 5, sha256: 'aa' },
    { file: 'pi.bmap', format: 'bmap', bytes: 1, sha256: 'bb' },
  ],
} as unknown as Manifest;

test('an image whose unpacked digest is known is listed with it', () => {
  const list = JSON.parse(cardList([manifest], new Map([['aa', { bytes: 100, sha256: 'cc' }]])));
  expect(list).toEqual({
    os_list: [
      {
        name: 'pi',
        description: 'a Pi',
        icon: 'http://{{.Req.Host}}/icon.svg',
        url: 'http://{{.Req.Host}}/images/pi/aarch64/pi.img.xz',
        extract_size: 100,
        extract_sha256: 'cc',
        image_download_size: 5,
        image_download_sha256: 'aa',
        release_date: '2026-11-21',
        devices: ['pi3-64bit', 'pi4-64bit', 'pi5-64bit'],
        architecture: 'armv8',
        init_format: 'none',
        bmap_url: 'http://{{.Req.Host}}/images/pi/aarch64/pi.bmap',
      },
    ],
  });
});

test('an image of unknown digest, or for another processor, is left out', () => {
  expect(JSON.parse(cardList([manifest], new Map()))).toEqual({ os_list: [] });
  const pc = { ...manifest, arch: 'x86_64' } as Manifest;
  expect(JSON.parse(cardList([pc], new Map([['aa', { bytes: 1, sha256: 'cc' }]])))).toEqual({ os_list: [] });
});
