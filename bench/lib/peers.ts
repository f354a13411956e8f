import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, repository } from './compare.ts';

/** The image that is built: Debian 13 with the catalogue's own packages. */
export const catalogPackages = [
  'ca-certificates',
  'cloud-guest-utils',
  'cloud-init',
  'dbus',
  'e2fsprogs',
  'fdisk',
  'iproute2',
  'netplan.io',
  'openssh-server',
  'python3',
  'qemu-guest-agent',
  'sudo',
  'systemd-resolved',
  'systemd-timesyncd',
  'udev',
];
const system = [
  'linux-image-cloud-amd64',
  'initramfs-tools',
  'zstd',
  'systemd-sysv',
  'grub-common',
  'grub-pc-bin',
  'grub-efi-amd64-bin',
];

/** A project with the image `bench`, its last step a script of ours. */
export function writeProject(folder: string): void {
  mkdirSync(join(folder, 'images'), { recursive: true });
  mkdirSync(join(folder, 'scripts'), { recursive: true });
  writeFileSync(join(folder, 'ingot.yaml'), 'name: bench\n');
  writeFileSync(
    join(folder, 'images', 'bench.yaml'),
    `source:
  packages: { distro: debian, suite: trixie, include: [${catalogPackages.join(', ')}] }
disk: 4G
steps:
  - services: { enable: [ssh, systemd-networkd, systemd-resolved] }
  - shell: scripts/last.sh
`,
  );
  changeLastStep(folder, 0);
}

/** Make the last step another one. */
export function changeLastStep(folder: string, number: number): void {
  writeFileSync(join(folder, 'scripts', 'last.sh'), `#!/bin/sh\necho ${number} > /etc/last\n`);
}

/** `ingot build` without checks. */
export function ingot(folder: string, home: string, more: Partial<Contender> = {}): Contender {
  const argv = [join(repository, 'ingot'), 'build', '--no-check', '--project', folder, '--home', home, '-q'] as const;
  return { name: 'ingot', argv: [...argv], ...more };
}

/** Plain mmdebstrap(1) of the same packages to a tar, as root or in its own user namespace. */
export function mmdebstrap(folder: string): Contender {
  const tar = join(folder, 'floor.tar');
  const options = [
    '--variant=minbase',
    '--aptopt=APT::Install-Recommends "false"',
    `--include=${[...catalogPackages, ...system].join(',')}`,
  ];
  return {
    name: 'mmdebstrap to a tar',
    prepare: () => rmSync(tar, { force: true }),
    argv: ['mmdebstrap', '--quiet', ...options, 'trixie', tar],
  };
}

/**
 * mkosi 14 (Debian 12) of the same packages to one plain tar: the quickest of its outputs that is a file, and less work
 * than ours, as it assembles and compresses no disk; its disk formats need loop device partitions that not every machine
 * has. Cold, from nothing; else with `--incremental`, which `first` makes its one snapshot of the packages and `again`
 * must start from it.
 */
export function mkosi(folder: string, run: 'cold' | 'first' | 'again'): Contender {
  const work = join(folder, 'mkosi');
  const postinst = join(work, 'postinst');
  const words = [
    '-d',
    'debian',
    '-r',
    'trixie',
    '-t',
    'tar',
    '--compress-output=no',
    '--nspawn-keep-unit=yes',
    '--with-network=yes',
    '--workspace-dir',
    folder,
  ];
  const more = run === 'cold' ? [] : ['--incremental=yes'];
  const reuse = run === 'again' ? { never: 'to generate cached copy' } : {};
  const packages = [...catalogPackages, ...system].join(',');
  return {
    name: run === 'cold' ? 'mkosi, cold' : 'mkosi, incremental',
    prepare: () => {
      if (run === 'cold') rmSync(work, { recursive: true, force: true });
      mkdirSync(join(work, 'cache'), { recursive: true });
      // mkosi 14 makes its snapshot anew unless that of a build script is there too, which nothing makes without a script.
      if (run !== 'cold') mkdirSync(join(work, 'debian~trixie', 'image.cache-pre-dev'), { recursive: true });
      mkdirSync('/run/systemd/nspawn', { recursive: true });
      writeFileSync(postinst, `#!/bin/sh\n[ "$1" = final ] || exit 0\necho ${Date.now()} > /etc/last\n`, {
        mode: 0o755,
      });
    },
    argv: [
      'mkosi',
      ...words,
      ...more,
      '-p',
      packages,
      '--postinst-script',
      postinst,
      '--cache',
      join(work, 'cache'),
      '-O',
      work,
      '-o',
      'image',
      '-f',
      'build',
    ],
    cwd: work,
    ...reuse,
  };
}
