import { expect, test } from 'vitest';
import type { Arch } from '../../core/arch.ts';
import { finishScript, mmdebstrapArgv, packages, systemPackages } from './packages.ts';

type Options = Parameters<typeof mmdebstrapArgv>[0];

function parse(options: object): Options {
  return packages.options.parse({ suite: 'trixie', ...options }) as Options;
}

test.each<[string, object]>([
  ['a suite alone', {}],
  ['Ubuntu', { distro: 'ubuntu', suite: 'noble' }],
  [
    'a package of an architecture, at a version or from a suite',
    { include: ['libc6:arm64', 'vim=2:9.1-1~x', 'git/sid'] },
  ],
  ['a mirror', { mirror: 'http://a.example/debian', security: 'https://a.example/security' }],
  ['a folder as mirror', { mirror: 'file:///srv/mirror' }],
  ['a snapshot where the mirror has one', { mirror: 'http://a.example/{snapshot}/', snapshot: '20251101T000000Z' }],
  ['a keyring of the project', { keyring: 'keys/our archive.gpg' }],
])('%s is accepted', (_, options) => {
  expect(packages.options.safeParse({ suite: 'trixie', ...options }).success).toBe(true);
});

test.each<[string, object]>([
  ['an unknown distribution', { distro: 'fedora' }],
  ['a suite that is an option', { suite: '--help' }],
  ['a suite that is a path', { suite: '../x' }],
  ['a package that is an option', { include: ['--download-only'] }],
  ['two packages in one word', { include: ['vim,git'] }],
  ['a package with shell in it', { include: ['vim;id'] }],
  ['a package that is to be removed', { include: ['vim-'] }],
  ['a mirror with a space', { mirror: 'http://a.example/x y' }],
  ['a mirror that sets options', { mirror: 'http://a.example [trusted=yes]' }],
  ['a mirror over two lines', { mirror: 'http://a.example\ndeb http://b.example' }],
  ['a mirror of another kind', { mirror: 'cdrom://x' }],
  ['a snapshot that the mirror has no place for', { mirror: 'http://a.example', snapshot: '20251101T000000Z' }],
  ['a snapshot without a mirror', { snapshot: '20251101T000000Z' }],
  ['a snapshot that is no moment', { mirror: 'http://a.example/{snapshot}', snapshot: '2025-11-01' }],
  ['a place for a snapshot and none named', { mirror: 'http://a.example/{snapshot}' }],
  ['security updates without a mirror, which nobody would ask for them', { security: 'http://a.example' }],
  ['a keyring outside the project', { keyring: '../key.gpg' }],
  ['a keyring by an absolute path', { keyring: '/etc/key.gpg' }],
  ['an unknown setting', { suites: 'x' }],
])('%s is refused', (_, options) => {
  expect(packages.options.safeParse({ suite: 'trixie', ...options }).success).toBe(false);
});

test.each<[object, Arch, readonly string[]]>([
  [{}, 'x86_64', ['linux-image-cloud-amd64', 'grub-pc-bin', 'grub-efi-amd64-bin']],
  [{ kernel: 'generic' }, 'x86_64', ['linux-image-amd64', 'grub-pc-bin', 'grub-efi-amd64-bin']],
  [{}, 'aarch64', ['linux-image-cloud-arm64', 'grub-efi-arm64-bin']],
  [{ distro: 'ubuntu', suite: 'noble' }, 'aarch64', ['linux-image-virtual', 'grub-efi-arm64-bin']],
  [{ distro: 'ubuntu', suite: 'noble', kernel: 'generic' }, 'x86_64', ['linux-image-generic', 'grub-pc-bin']],
])('%j on %s brings its kernel and loaders', (options, arch, expected) => {
  const found = systemPackages(parse(options), arch);
  expect(found).toEqual(expect.arrayContaining([...expected, 'initramfs-tools', 'grub-common', 'systemd-sysv']));
  expect(found.includes('grub-pc-bin')).toBe(arch === 'x86_64');
});

test('without a kernel there is no loader either, and nothing to include', () => {
  expect(systemPackages(parse({ kernel: 'none' }), 'x86_64')).toEqual([]);
  const argv = mmdebstrapArgv(parse({ kernel: 'none' }), { arch: 'x86_64', root: '/r' }, '-');
  expect(argv.some((word) => word.startsWith('--include'))).toBe(false);
});

test('the command line of mmdebstrap', () => {
  const options = parse({
    include: ['vim'],
    kernel: 'none',
    variant: 'apt',
    components: ['main', 'contrib'],
    docs: true,
  });
  expect(mmdebstrapArgv(options, { arch: 'aarch64', root: '/a b/tree' }, '-')).toEqual([
    ...['mmdebstrap', '--mode=root', '--format=directory', '--variant=apt', '--architectures=arm64'],
    ...['--components=main,contrib', '--aptopt=APT::Install-Recommends "false"'],
    ...['--aptopt=APT::Sandbox::User "root"', '--aptopt=Acquire::Retries "3"', '--aptopt=Acquire::Languages "none"'],
    ...['--include=vim', '--', 'trixie', '/a b/tree', '-'],
  ]);
});

test('with keys of the project nothing else is trusted', () => {
  const tree = { arch: 'x86_64', root: '/r', keyring: '/a b/keys' } as const;
  const words = mmdebstrapArgv(parse({}), tree, '-').filter((word) => word.startsWith('--keyring'));
  expect(words).toEqual(['--keyring=/a b/keys', '--keyring=/dev/null']);
});

test('documentation stays out unless it is wanted, licences stay in', () => {
  const argv = mmdebstrapArgv(parse({ recommends: true }), { arch: 'x86_64', root: '/r' }, undefined);
  expect(argv).toContain('--dpkgopt=path-exclude=/usr/share/man/*');
  expect(argv).toContain('--dpkgopt=path-include=/usr/share/doc/*/copyright');
  expect(argv).toContain('--aptopt=APT::Install-Recommends "true"');
  expect(argv.slice(-2)).toEqual(['trixie', '/r']);
});

test('the image gets the sources it was made from; without any it keeps those of the tool', () => {
  const archive = { sources: [{ uri: 'http://a.example', suite: 'trixie' }], releases: {}, epoch: 0 };
  const options = parse({});
  expect(finishScript(options, archive, { arch: 'x86_64', keyring: '/k.gpg' }).args).toEqual([
    expect.stringMatching(/URIs: http:\/\/a.example\nSuites: trixie\n(.+\n)*Signed-By: \/k.gpg\n/),
    'debian',
    'ttyS0,115200n8',
  ]);
  expect(finishScript(options, { ...archive, sources: [] }, { arch: 'aarch64', keyring: '/k.gpg' }).args).toEqual([
    '',
    'debian',
    'ttyAMA0,115200n8',
  ]);
});

test('the tools it needs are named with their packages, the keyring of the distribution among them', () => {
  const names = (options: object) => packages.tools?.(parse(options), 'x86_64').map(({ debian }) => debian);
  expect(names({})).toEqual(['mmdebstrap', 'debian-archive-keyring']);
  expect(names({ distro: 'ubuntu' })).toEqual(['mmdebstrap', 'ubuntu-archive-keyring']);
  expect(names({ keyring: 'keys/own.gpg' })).toEqual(['mmdebstrap']);
});
