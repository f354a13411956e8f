import { expect, test } from 'vitest';
import { parseOsRelease } from '../core/os-release.ts';
import { createHost } from '../host/host.ts';
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

test('a package tells whose it is, and its source where that is called otherwise', () => {
  const rows = [
    'libc6\t2.41-12\tamd64\tdeb\tglibc\t2.41-12',
    'vim\t2:9.1\tamd64\tdeb\tvim\t2:9.1',
    'bash\t5.2-1\tx86_64\trpm',
  ];
  expect(parsePackages(rows.join('\n'))).toEqual([
    { name: 'bash', version: '5.2-1', arch: 'x86_64', type: 'rpm' },
    { name: 'libc6', version: '2.41-12', arch: 'amd64', type: 'deb', source: 'glibc@2.41-12' },
    { name: 'vim', version: '2:9.1', arch: 'amd64', type: 'deb' },
  ]);
});

test("the database of apk is read by the image's own awk", async () => {
  const text =
    'C:Q1x=\nP:musl\nV:1.2.5-r9\nA:x86_64\no:musl\nF:lib\n\nP:ssl_client\nV:1.37.0-r13\nA:x86_64\no:busybox\n\n';
  const [, program = ''] = /awk '([^']+)'/.exec(packagesScript.text) ?? [];
  const { stdout } = await createHost().run({ argv: ['awk', program] }, { stdin: text });
  expect(parsePackages(stdout)).toEqual([
    { name: 'musl', version: '1.2.5-r9', arch: 'x86_64', type: 'apk' },
    { name: 'ssl_client', version: '1.37.0-r13', arch: 'x86_64', type: 'apk', source: 'busybox@1.37.0-r13' },
  ]);
});

test.each([
  [
    { ID: 'debian', NAME: 'x', DEBIAN_VERSION: '13.2', VERSION_ID: '13' },
    [],
    'ID=debian\nVERSION_ID=13\nDEBIAN_VERSION=13.2\n',
  ],
  [{ ID: 'ubuntu', VERSION: '24.04.3 LTS (Noble Numbat)' }, [], 'ID=ubuntu\nUBUNTU_VERSION=24.04.3\n'],
  [{ ID: 'debian' }, [{ name: 'pve-manager', version: '9.1.2', arch: 'all' }], 'ID=debian\nPVE_VERSION=9.1.2\n'],
])('image-version.txt has what scripts ask for, and only what is known: %j', (system, packages, text) => {
  expect(imageVersionText({ system, packages })).toBe(text);
});
