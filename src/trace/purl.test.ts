import { expect, test } from 'vitest';
import { purlOf } from './purl.ts';

test.each([
  [
    { name: 'bash', version: '0:5.2.26-4.el10', arch: 'x86_64', type: 'rpm' },
    { ID: 'rocky', VERSION_ID: '10.0' },
    'pkg:rpm/rocky/bash@5.2.26-4.el10?arch=x86_64&distro=rocky-10.0&epoch=0',
  ],
  [
    { name: 'gpg-pubkey', version: 'a-b', arch: '(none)', type: 'rpm' },
    { ID: 'fedora' },
    'pkg:rpm/fedora/gpg-pubkey@a-b',
  ],
  [
    { name: 'musl', version: '1.2.5-r9', arch: 'x86_64', type: 'apk' },
    { ID: 'alpine', VERSION_ID: '3.22.1' },
    'pkg:apk/alpine/musl@1.2.5-r9?arch=x86_64&distro=alpine-3.22.1',
  ],
  [{ name: 'vim', version: '9', arch: 'all', type: 'deb' }, {}, 'pkg:deb/debian/vim@9?arch=all'],
  [{ name: 'vim', version: '9', arch: 'all' }, { ID: 'debian' }, undefined],
] as const)('%j in %j', (one, system, purl) => {
  expect(purlOf(one, system)).toBe(purl);
});
