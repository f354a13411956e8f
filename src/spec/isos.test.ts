import { expect, test } from 'vitest';
import { imageOf, problemsOf, type SpecFiles } from '../../test/support/spec-project.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const entry = `distribution: debian, arch: x86_64, url: 'https://a.example/d.iso', checksum: '${digest}'`;
const isos = `debian-13: { ${entry} }\n`;
const image = (iso: string) => `source: { installer: { iso: ${iso} } }\n`;

const optionsOf = (text: string, files: SpecFiles) => imageOf(text, files).source.options;

test('the name of an ISO in a source becomes its entry', () => {
  expect(optionsOf(image('debian-13'), { 'isos.yaml': isos })).toMatchObject({
    iso: {
      name: 'debian-13',
      distribution: 'debian',
      arch: 'x86_64',
      url: 'https://a.example/d.iso',
      checksum: digest,
    },
  });
});

test('names are replaced wherever the kind says that one may stand', () => {
  const text = 'source: { installer: { iso: debian-13, also: [{ iso: debian-13 }] } }\n';
  expect(optionsOf(text, { 'isos.yaml': isos })).toMatchObject({ also: [{ iso: { distribution: 'debian' } }] });
});

test('what differs between architectures stands above what they share', () => {
  const catalogue = `multi:
  distribution: debian
  checksum: { file: 'https://a.example/SHA256SUMS' }
  kernel: boot/vmlinuz
  arch:
    x86_64: { url: 'https://a.example/x.iso' }
    aarch64: { url: 'https://a.example/a.iso', kernel: boot/arm }
`;
  const of = (arch: string) => optionsOf(`arch: ${arch}\n${image('multi')}`, { 'isos.yaml': catalogue });
  expect(of('x86_64')).toMatchObject({ iso: { url: 'https://a.example/x.iso', kernel: 'boot/vmlinuz' } });
  expect(of('aarch64')).toMatchObject({
    iso: {
      arch: 'aarch64',
      url: 'https://a.example/a.iso',
      kernel: 'boot/arm',
      checksum: { file: 'https://a.example/SHA256SUMS' },
    },
  });
});

test('netboot files take the place of an ISO', () => {
  const catalogue =
    'net: { distribution: debian, arch: x86_64, kernel: { file: boot/linux }, initrd: { file: boot/initrd.gz } }\n';
  expect(optionsOf(image('net'), { 'isos.yaml': catalogue })).toMatchObject({
    iso: { kernel: { file: 'boot/linux' }, initrd: { file: 'boot/initrd.gz' } },
  });
});

test.each<[string, SpecFiles, readonly string[]]>([
  [
    'a name that is nearly right',
    { 'isos.yaml': isos, 'images/a.yaml': image('debian-31') },
    ['images/a.yaml:1:29 isos.yaml has no ISO "debian-31" (did you mean "debian-13"?)'],
  ],
  [
    'a name without any catalogue',
    { 'images/a.yaml': image('debian-13') },
    ['images/a.yaml:1:29 isos.yaml has no ISO "debian-13" (there is no isos.yaml; `ingot iso add` writes one)'],
  ],
  [
    'an architecture that the ISO is not for',
    { 'isos.yaml': isos, 'images/a.yaml': `arch: aarch64\n${image('debian-13')}` },
    ['images/a.yaml:2:29 ISO "debian-13" is not for aarch64 (it is for: x86_64)'],
  ],
  [
    'something else than a name',
    { 'isos.yaml': isos, 'images/a.yaml': image('[debian-13]') },
    ['images/a.yaml:1:24 installer.iso: expected the name of an entry of isos.yaml, such as debian-13-netinst'],
  ],
  [
    'all mistakes of a catalogue at once, also where no image uses it',
    {
      'isos.yaml': `a: { distribution: debain, arch: x86_64, file: isos/a.iso }
b: { distribution: debian, arch: x86_64, ulr: 'https://a.example/b.iso' }
c: { distribution: debian, arch: x86_64, url: 'https://a.example/c.iso' }
D_: { distribution: debian, arch: x86_64, file: isos/d.iso }
e: { distribution: debian, arch: { x86: { file: isos/e.iso } } }
f: { distribution: debian, arch: x86_64, kernel: { file: linux } }
g: { distribution: debian, arch: {} }
h: { distribution: debian, arch: x86_64, file: h.iso, checksum: 'sha256:12' }
`,
    },
    [
      'isos.yaml:1:20 a.distribution: expected one of "debian", "ubuntu", "fedora", "proxmox", "alpine", not "debain" (did you mean "debian"?)',
      'isos.yaml:2:42 b: unknown key "ulr" (did you mean "url"?)',
      'isos.yaml:3:47 c.url: a `url` needs its `checksum`: sha256:HEX, sha512:HEX, { file: URL of SHA256SUMS }, or `sidecar` for an artifact of Ingot',
      'isos.yaml:4:1 "D_" cannot be the name of an ISO (lower-case letters, digits, "." and "-", starting with a letter or digit, at most 63 characters)',
      'isos.yaml:5:36 e.arch: unknown key "x86" (known keys: aarch64, x86_64)',
      'isos.yaml:6:1 f: netboot files are `kernel` and `initrd`, both of them, and no ISO beside them',
      'isos.yaml:7:1 g.arch: expected at least one architecture',
      'isos.yaml:8:65 h.checksum: expected sha256: and 64 hexadecimal digits (lower case), sha512: and 128, `sidecar`, or { file: URL of SHA256SUMS }',
    ],
  ],
  [
    'a broken entry that an image uses is told once',
    { 'isos.yaml': 'x: { distribution: debian, arch: x86_64 }\n', 'images/a.yaml': image('x') },
    ['isos.yaml:1:1 x: expected either `url` or `file`'],
  ],
  [
    'a catalogue that is a list',
    { 'isos.yaml': '- a\n' },
    ['isos.yaml:1:1 expected a map from names to ISOs (like: debian-13: { distribution: debian, arch: x86_64, ... })'],
  ],
])('%s', (_, files, problems) => {
  expect(problemsOf(files)).toEqual(problems);
});
