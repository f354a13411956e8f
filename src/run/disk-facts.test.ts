import { expect, test } from 'vitest';
import { parseDpkgStatus } from './disk-facts.ts';

test('packages of dpkg are those that are installed', () => {
  const text = `Package: zlib1g
Status: install ok installed
Priority: optional
Architecture: amd64
Multi-Arch: same
Version: 1:1.2.13.dfsg-1
Description: compression library
 Version: of the text, not of the package

Package: kept
Source: keeper (1.9)
Status: hold ok installed
Architecture: all
Version: 2

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 3
`;
  expect(parseDpkgStatus(text)).toEqual([
    { name: 'kept', version: '2', arch: 'all', type: 'deb', source: 'keeper@1.9' },
    { name: 'zlib1g', version: '1:1.2.13.dfsg-1', arch: 'amd64', type: 'deb' },
  ]);
  expect(parseDpkgStatus('')).toEqual([]);
});
