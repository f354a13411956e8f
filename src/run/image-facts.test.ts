import { expect, test } from 'vitest';
import { parseOsRelease } from '../core/os-release.ts';
import { imageFactsScript, imageVersionText, packagesScript, parseImageFacts, parsePackages } from './image-facts.ts';

test('os-release is read as a shell would: quotes off, escapes undone, no comments', () => {
  const text = `# comment
NAME="Debian GNU/Linux"
VERSION_ID='13'
ID=debian
PRETTY_NAME="A \\"quoted\\" \\$name \\\\ end"
EMPTY=
lower=no
 INDENTED=no
DEBIAN_VERSION=13.2
`;
  expect(parseOsRelease(text)).toEqual({
    NAME: 'Debian GNU/Linux',
    VERSION_ID: '13',
    ID: 'debian',
    PRETTY_NAME: 'A "quoted" $name \\ end',
    EMPTY: '',
    DEBIAN_VERSION: '13.2',
  });
  expect(parseOsRelease('')).toEqual({});
});

test('packages are sorted by name', () => {
  expect(parsePackages('vim\t2:9.1\tamd64\nadduser\t3.1\tall\n')).toEqual([
    { name: 'adduser', version: '3.1', arch: 'all' },
    { name: 'vim', version: '2:9.1', arch: 'amd64' },
  ]);
  expect(parsePackages('')).toEqual([]);
});

test('system and packages are read from one answer, and an image may have neither', () => {
  expect(imageFactsScript.text.split("echo '--- packages'\n")).toHaveLength(2);
  expect(parseImageFacts('ID=debian\n--- packages\nvim\t1\tall\n')).toEqual({
    system: { ID: 'debian' },
    packages: [{ name: 'vim', version: '1', arch: 'all' }],
  });
  expect(parseImageFacts('--- packages\n')).toEqual({ system: {}, packages: [] });
});

test.each([
  ['ii \tvim\t1\tall', true],
  ['hi \tvim\t1\tall', true],
  ['iiR\tvim\t1\tall', true],
  ['rc \tvim\t1\tall', false],
  ['iU \tvim\t1\tall', false],
])('whether %j is an installed package: %s', (line, expected) => {
  const [, expression = ''] = /sed -n '([^']+)'/.exec(packagesScript.text) ?? [];
  const [, pattern = ''] = /^s\/(.*)\/\/p$/.exec(expression) ?? [];
  expect(pattern).not.toBe('');
  expect(new RegExp(pattern).test(line)).toBe(expected);
});

test('image-version.txt has what scripts ask for, and only what is known', () => {
  const system = { ID: 'debian', NAME: 'x', DEBIAN_VERSION: '13.2', VERSION_ID: '13' };
  expect(imageVersionText(system)).toBe('ID=debian\nVERSION_ID=13\nDEBIAN_VERSION=13.2\n');
});
