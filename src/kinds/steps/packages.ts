import { z } from 'zod';
import { defineStep } from '../../core/kinds.ts';
import type { Bench } from '../../core/plan.ts';
import { type Script, shellLine } from '../../core/script.ts';

// A name that ends in a minus asks apt-get to remove the package.
const packageName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9+._-]*(?<!-)(?::[a-z0-9-]+)?(?:=[A-Za-z0-9][A-Za-z0-9.+~:_-]*|\/[A-Za-z0-9][A-Za-z0-9._-]*)?$/,
    'expected a package name, as name, name=version, name/suite or name:arch',
  );

const presentName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*(?<!-)(?::[a-z0-9-]+)?$/, 'expected a package name, as name or name:arch');

const full = z
  .strictObject({
    install: z.array(packageName).default([]).describe('Packages to install.'),
    remove: z.array(presentName).default([]).describe('Packages to remove with their configuration, where they are.'),
    upgrade: z.boolean().default(false).describe('Upgrade everything that is installed.'),
    recommends: z.boolean().default(false).describe('Install recommended packages too.'),
  })
  .refine((o) => o.install.length + o.remove.length > 0 || o.upgrade, 'nothing to install, remove or upgrade');

const list = z.array(packageName).min(1, 'nothing to install: name a package');

const options = z.union([
  list.transform((install): z.infer<typeof full> => ({ install, remove: [], upgrade: false, recommends: false })),
  full,
]);

export type PackagesOptions = z.infer<typeof full>;

/**
 * Install, remove or upgrade distribution packages; leaves no package cache and no lists behind. With apt or dnf,
 * whichever the image has; `name=version`, `name/suite` and `name:arch` are apt's. First upgrade, then install, then
 * remove. An `APT_CONFIG` in the environment is respected.
 */
export const packages = defineStep<PackagesOptions>({
  name: 'packages',
  version: 1,
  summary: 'Install distribution packages, remove some, or upgrade all of them; leaves no package cache behind.',
  on: ['tree', 'guest'],
  options,
  example: ['qemu-guest-agent', 'vim'],
  shorthands: ['upgrade'],
  title: packagesTitle,
  run: (o, work) => work.exec(packagesScript(o, work.bench)),
});

function packagesTitle(o: PackagesOptions): string {
  const parts = [
    o.upgrade ? 'upgrade all packages' : '',
    o.install.length > 0 ? `install ${o.install.join(' ')}` : '',
    o.remove.length > 0 ? `remove ${o.remove.join(' ')}` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** The script for images with apt or dnf. */
export function packagesScript(o: PackagesOptions, bench: Bench): Script {
  const indent = (line: string) => `  ${line}`;
  const text = [
    'set -eu',
    'if command -v apt-get >/dev/null; then',
    ...aptLines(o, bench).map(indent),
    'elif command -v dnf >/dev/null; then',
    ...dnfLines(o).map(indent),
    'else',
    "  echo 'this image has neither apt-get nor dnf' >&2",
    '  exit 1',
    'fi',
    '',
  ].join('\n');
  return {
    text,
    env: { DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none', NEEDRESTART_MODE: 'l' },
  };
}

const aptOptions = [
  'Dpkg::Use-Pty=0',
  'Dpkg::Options::=--force-confdef',
  'Dpkg::Options::=--force-confold',
  'DPkg::Lock::Timeout=300',
  'Acquire::Retries=3',
  // Translated descriptions are megabytes that nobody reads here.
  'Acquire::Languages=none',
  // Without it an index that could not be fetched is only a warning (apt-get(8), --error-on).
  'APT::Update::Error-Mode=any',
  // Without it an unknown name with a dot or plus in it is taken for a regular expression.
  'APT::Cmd::Pattern-Only=true',
];

const moreAptOptions: Readonly<Record<Bench, readonly string[]>> = {
  tree: [],
  // Lists that are a third larger and unpacked in a fifth of the time, which a guest without hardware virtualization
  // feels; and no waiting for the disk at each file: a layer is written as a whole.
  guest: ['Acquire::CompressionTypes::Order::=gz', 'Dpkg::Options::=--force-unsafe-io'],
};

// apt waits for dpkg's lock and not for those of its lists and downloads; the kernel says who is held (proc_locks(5)).
const waitFor = [
  'wait_for() {',
  '  waited=0',
  '  while [ -e "$1" ] && grep -q ":$(stat -c %i "$1") " /proc/locks && [ $waited -lt 300 ]; do',
  "    [ $waited -gt 0 ] || echo 'waiting for another apt'",
  '    waited=$((waited + 1))',
  '    sleep 1',
  '  done',
  '}',
];
const waitForLists = 'wait_for /var/lib/apt/lists/lock';
const waitForArchives = 'wait_for /var/cache/apt/archives/lock';

const aptClean = [waitForArchives, 'apt-get clean', 'find /var/lib/apt/lists /var/cache/apt -type f -delete'];

function aptLines(o: PackagesOptions, bench: Bench): readonly string[] {
  const apt = (...words: string[]) => shellLine(['apt_get', ...words]);
  const recommends = o.recommends ? '--install-recommends' : '--no-install-recommends';
  const fetches = o.upgrade || o.install.length > 0;
  return [
    `apt_get() { ${shellLine(['apt-get', '-q', '-y', ...[...aptOptions, ...moreAptOptions[bench]].flatMap((option) => ['-o', option])])} "$@"; }`,
    ...waitFor,
    ...(fetches ? [waitForLists, apt('update'), waitForArchives] : []),
    ...(o.upgrade ? [apt('dist-upgrade', recommends)] : []),
    ...(o.install.length > 0 ? [apt('install', recommends, '--', ...o.install)] : []),
    ...(o.remove.length > 0 ? aptRemoveLines(o.remove) : []),
    ...aptClean,
  ];
}

// apt-get knows a package that is not installed only while its lists are there, so the package database is asked.
function aptRemoveLines(names: readonly string[]): readonly string[] {
  return [
    'set --',
    `for name in ${shellLine(names)}; do`,
    '  if dpkg-query -W "$name" >/dev/null 2>&1; then set -- "$@" "$name"; else echo "$name is not installed"; fi',
    'done',
    '[ $# -eq 0 ] || apt_get purge -- "$@"',
  ];
}

function dnfLines(o: PackagesOptions): readonly string[] {
  const dnf = (...words: string[]) => shellLine(['dnf', '-y', ...words]);
  const weak = `--setopt=install_weak_deps=${o.recommends ? 'True' : 'False'}`;
  return [
    ...(o.upgrade ? [dnf('upgrade', '--refresh', weak)] : []),
    ...(o.install.length > 0 ? [dnf('install', weak, '--', ...o.install)] : []),
    // Only what is named, as apt does it.
    ...(o.remove.length > 0 ? [dnf('remove', '--setopt=clean_requirements_on_remove=False', '--', ...o.remove)] : []),
    'dnf clean all',
    'rm -rf /var/cache/dnf/* /var/cache/libdnf5/*',
  ];
}
