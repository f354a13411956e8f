import { expect, test } from 'vitest';
import { type PackagesOptions, packages, packagesScript } from './packages.ts';

const nothing: PackagesOptions = { install: [], remove: [], upgrade: false, recommends: false };

/** The lines of the script that change the image when it has apt-get, without the options that all of them share. */
function aptCommands(options: Partial<PackagesOptions>): readonly string[] {
  const { text } = packagesScript({ ...nothing, ...options }, 'tree');
  const lines = text.slice(0, text.indexOf('elif')).split('\n');
  return lines.map((line) => line.trim()).filter((line) => /^(apt_get |set --|for |\[ \$#|apt-get|find)/.test(line));
}

const clean = ['apt-get clean', 'find /var/lib/apt/lists /var/cache/apt -type f -delete'];

test.each<[string, Partial<PackagesOptions>, readonly string[]]>([
  [
    'an install',
    { install: ['vim', 'g++', 'tree=2.2.1-1', 'nano/trixie', 'libc6:arm64'] },
    [
      'apt_get update',
      'apt_get install --no-install-recommends -- vim g++ tree=2.2.1-1 nano/trixie libc6:arm64',
      ...clean,
    ],
  ],
  [
    'an install with what is recommended',
    { install: ['vim'], recommends: true },
    ['apt_get update', 'apt_get install --install-recommends -- vim', ...clean],
  ],
  ['an upgrade', { upgrade: true }, ['apt_get update', 'apt_get dist-upgrade --no-install-recommends', ...clean]],
  [
    'a removal, which needs no lists',
    { remove: ['nano', 'vim'] },
    ['set --', 'for name in nano vim; do', '[ $# -eq 0 ] || apt_get purge -- "$@"', ...clean],
  ],
  [
    'everything at once',
    { install: ['vim'], remove: ['nano'], upgrade: true },
    [
      'apt_get update',
      'apt_get dist-upgrade --no-install-recommends',
      'apt_get install --no-install-recommends -- vim',
      'set --',
      'for name in nano; do',
      '[ $# -eq 0 ] || apt_get purge -- "$@"',
      ...clean,
    ],
  ],
])('with apt, %s', (_name, options, commands) => {
  expect(aptCommands(options)).toEqual(commands);
});

test('with dnf, weak dependencies and removals behave as with apt', () => {
  const { text } = packagesScript({ install: ['vim'], remove: ['nano'], upgrade: true, recommends: false }, 'tree');
  expect(text).toContain('dnf -y upgrade --refresh --setopt=install_weak_deps=False');
  expect(text).toContain('dnf -y install --setopt=install_weak_deps=False -- vim');
  expect(text).toContain('dnf -y remove --setopt=clean_requirements_on_remove=False -- nano');
  expect(text).toContain('dnf clean all');
});

test('apt asks nothing, keeps changed settings, retries, and waits for others', () => {
  const { text, env } = packagesScript({ ...nothing, install: ['vim'] }, 'tree');
  expect(env).toMatchObject({ DEBIAN_FRONTEND: 'noninteractive' });
  for (const option of [
    '--force-confdef',
    '--force-confold',
    'Acquire::Retries=3',
    'DPkg::Lock::Timeout=300',
    'APT::Update::Error-Mode=any',
  ]) {
    expect(text).toContain(option);
  }
  expect(text).not.toContain('APT_CONFIG');
});

test.each([
  [[]],
  [{}],
  [{ install: [] }],
  [['vim-']],
  [['-y']],
  [['vim nano']],
  [['vim;reboot']],
  [['vim\nnano']],
  [['$(reboot)']],
  [['name=']],
  [['']],
  [{ remove: ['vim=1'] }],
  [{ instal: ['vim'] }],
  ['vim'],
])('%j is refused', (written) => {
  expect(packages.options.safeParse(written).success).toBe(false);
});

test('a list is what to install', () => {
  expect(packages.options.parse(['vim'])).toEqual({ ...nothing, install: ['vim'] });
  expect(packages.title({ ...nothing, install: ['vim'], upgrade: true })).toBe('upgrade all packages, install vim');
});
