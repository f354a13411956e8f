import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type CpioFile, cpio } from '../../src/core/cpio.ts';
import { modulesOf } from './initrd.ts';
import { loaderPackages, makeIso, unpackDebs } from './iso-lab.ts';

const exec = promisify(execFile);

/** The newest kernel of the distribution for every machine, without what only recommends it. */
const kernelPackage = 'linux-image-amd64';
/** What the stand-in needs of it; what those need in turn is added. */
const wantedModules = [
  ...['virtio_pci', 'virtio_blk', 'virtio_net', 'ahci', 'sr_mod', 'isofs', 'ext4', 'vfat'],
  ...['nls_cp437', 'nls_ascii', 'crc32c_generic'],
];
const programs = ['/usr/sbin/sfdisk', '/usr/sbin/mke2fs'];
/** What the installed system has: it boots by BIOS, has a network, and lets ssh in. */
const packages = ['systemd-sysv', 'udev', 'linux-image-cloud-amd64', 'initramfs-tools', 'grub-pc', 'openssh-server'];

/** The ISO of an installer for tests, whose kernel is to be booted directly. */
export async function makeStandIn(folder: string, iso: string): Promise<void> {
  const root = await makeStandInTree(folder);
  await exec('xorriso', ['-no_rc', '-as', 'mkisofs', '-quiet', '-r', '-V', 'STANDIN', '-o', iso, root]);
}

/** The same, which boots by itself under BIOS and UEFI. */
export async function makeBootableStandIn(folder: string, iso: string): Promise<void> {
  const root = await makeStandInTree(folder);
  const loaders = await unpackDebs(join(folder, 'loaders'), loaderPackages);
  const paths = ['install.amd/vmlinuz', 'install.amd/initrd.gz', 'tree.tar'];
  const files = {
    ...Object.fromEntries(paths.map((path) => [path, { from: join(root, path) }])),
    'boot/grub/grub.cfg': 'menuentry "Install" {\n linux /install.amd/vmlinuz\n initrd /install.amd/initrd.gz\n}\n',
  };
  await makeIso(loaders, iso, { label: 'STANDIN', files, efi: 'boot/grub/efi.img', bios: 'grub' });
}

/**
 * An installer for tests (test/support/stand-in/init) with a small Debian to install. Kernel and initial RAM disk are
 * where Debian's own have them.
 */
async function makeStandInTree(folder: string): Promise<string> {
  const { stdout } = await exec('apt-cache', ['depends', kernelPackage]);
  const [, kernel = ''] = /Depends: (linux-image-\S+)/.exec(stdout) ?? [];
  const { folder: unpacked } = await unpackDebs(join(folder, 'debs'), [kernel, 'busybox-static']);
  const root = join(folder, 'iso');
  await mkdir(join(root, 'install.amd'), { recursive: true });
  const [vmlinuz = ''] = (await readdir(join(unpacked, 'boot'))).filter((name) => name.startsWith('vmlinuz-'));
  await writeFile(join(root, 'install.amd/vmlinuz'), await readFile(join(unpacked, 'boot', vmlinuz)));
  await writeFile(join(root, 'install.amd/initrd.gz'), gzipSync(await initrdOf(unpacked), { level: 1 }));
  await makeTree(join(root, 'tree.tar'));
  return root;
}

async function makeTree(tar: string): Promise<void> {
  const words = [
    '--quiet',
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    '--aptopt=APT::Install-Recommends no',
  ];
  await exec('mmdebstrap', [...words, 'bookworm', tar], { maxBuffer: 1 << 26 });
}

async function initrdOf(unpacked: string): Promise<Buffer> {
  const libraries = (await Promise.all(programs.map(librariesOf))).flat();
  const files: CpioFile[] = [
    { name: 'init', mode: 0o755, data: await readFile(new URL('stand-in/init', import.meta.url)) },
    { name: 'busybox', mode: 0o755, data: await readFile(join(unpacked, 'bin/busybox')) },
    ...(await modulesOf(join(unpacked, 'lib/modules'), wantedModules)),
  ];
  for (const path of new Set([...programs, ...libraries]))
    files.push({ name: path.slice(1), mode: 0o755, data: await readFile(await realpath(path)) });
  return cpio(files);
}

async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout } = await exec('ldd', [program]);
  return stdout.match(/\/[^ )]+(?= \(0x)/g) ?? [];
}
