import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { aptArgv, indexesOf, packageOf } from './repository.ts';

test('apt works for an empty system of the right architecture, and takes nothing from this one', () => {
  const argv = aptArgv({ folder: '/w', arch: 'aarch64' }, ['update']);
  for (const option of ['Dir::State::status=/w/status', 'APT::Architecture=arm64', 'Dir::Etc::SourceParts=/dev/null'])
    expect(argv).toContain(option);
  expect([argv[0], argv.at(-1)]).toEqual(['apt-get', 'update']);
});

test('the index of a repository has the digest that its Release tells', () => {
  const files = indexesOf(['Package: a\nFilename: pool/a.deb\n', 'Package: b\n'], 'x86_64');
  const text = files.get('dists/ingot/main/binary-amd64/Packages') ?? '';
  expect(text).toBe('Package: a\nFilename: pool/a.deb\n\nPackage: b\n');
  const digest = createHash('sha256').update(text).digest('hex');
  expect(files.get('dists/ingot/Release')).toContain(` ${digest} ${text.length} main/binary-amd64/Packages\n`);
});

test.each([
  ['Package: jq\nVersion: 1.6-2.1\nArchitecture: amd64\n', { name: 'jq', version: '1.6-2.1' }],
  [
    'Package: libc6\nSource: glibc\nVersion: 2.36-9\nArchitecture: amd64\n',
    { name: 'libc6', version: '2.36-9', source: 'glibc@2.36-9' },
  ],
  [
    'Package: a\nArchitecture: amd64\nSource: b (1:2)\nVersion: 1:2+b1\n',
    { name: 'a', version: '1:2+b1', source: 'b@1:2' },
  ],
])('a package of the repository is known by %j', (paragraph, wanted) => {
  expect(packageOf(paragraph)).toEqual({ arch: 'amd64', type: 'deb', ...wanted });
});
