import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { cpio } from '../../src/core/cpio.ts';
import { modulesOf } from './initrd.ts';

const exec = promisify(execFile);
const mebibyte = 1024 * 1024;
/** Of the disk: a partition for UEFI, then the root file system. */
const [efiStart, rootStart, diskSize] = [1, 97, 640].map((number) => number * mebibyte) as [number, number, number];

const packages = [
  ...['base-files', 'base-passwd', 'bash', 'coreutils', 'dash', 'e2fsprogs', 'fdisk', 'findutils', 'grep', 'sed'],
  ...['iproute2', 'mount', 'openssh-server', 'systemd-sysv', 'udev', 'util-linux'],
  ...['busybox-static', 'linux-image-cloud-arm64', 'systemd-boot-efi'],
];
/** Built as modules: what finds the root file system, the network, and the channel of the build. */
const wantedModules = ['virtio_pci', 'virtio_mmio', 'virtio_blk', 'virtio_net', 'virtio_console'];

const init = `#!/busybox sh
/busybox mkdir -p /bin /proc /sys /dev /root
/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module"; done
mount -t ext4 /dev/vda2 /root
mount --move /dev /root/dev
umount /proc
exec switch_root /root /sbin/init
`;

/** What the packages' own scripts would have done of what such a machine needs; the kernel is for the loader alone. /proc is mounted. */
const settle = `set -eu
cp -r "$1/boot" "$1/lib/modules" "$1/usr/lib/systemd/boot/efi" "$1/bin/busybox" "$OUT"
rm -r "$1/boot"/* "$1/lib/modules" "$1/usr/lib/systemd/boot" "$1/usr/lib"/linux-image-* "$1/usr/share/doc"
cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"
echo 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >> "$1/etc/passwd"
echo 'Include /etc/ssh/sshd_config.d/*.conf' > "$1/etc/ssh/sshd_config"
printf '[Match]\\nType=ether\\n[Network]\\nDHCP=yes\\n' > "$1/etc/systemd/network/80-dhcp.network"
: > "$1/etc/machine-id"
wanted=$1/etc/systemd/system/multi-user.target.wants
mkdir -p "$wanted"
for unit in ssh systemd-networkd; do ln -s "/lib/systemd/system/$unit.service" "$wanted"; done
cp -ax "$1" "$OUT/tree"
mke2fs -q -F -t ext4 -b 4096 -L root -E "offset=$ROOT" -d "$OUT/tree" "$OUT/disk.raw" "$BLOCKS"
rm -r "$OUT/tree"
`;

/**
 * A Debian for aarch64 as others publish them: a raw disk that UEFI starts, with systemd and sshd, without cloud-init.
 * None of its programs is run to make it, so it is there in seconds.
 */
export async function makeAarch64Disk(path: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-aarch64-'));
  try {
    const disk = join(folder, 'disk.raw');
    await writeFile(disk, '');
    await truncate(disk, diskSize);
    const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };
    const table = `label: gpt\\nstart=${efiStart / 512}, size=${(rootStart - efiStart) / 512}, type=uefi\\nstart=${rootStart / 512}, type=linux, name=root\\n`;
    await exec('sh', ['-c', `printf '${table}' | sfdisk --quiet "$0"`, disk], { env });
    await unpackTree(folder, env);
    await fillEfi(folder, disk);
    await exec('mv', [disk, path]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function unpackTree(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  // The last MiB is the table's copy.
  const blocks = (diskSize - rootStart - mebibyte) / 4096;
  const words = ['--quiet', '--variant=extract', '--architectures=arm64', `--include=${packages.join(',')}`];
  const more = ['--aptopt=APT::Install-Recommends no', `--extract-hook=${settle}`, 'bookworm', '/dev/null'];
  const told = { ...env, OUT: folder, ROOT: String(rootStart), BLOCKS: String(blocks) };
  await exec('mmdebstrap', [...words, ...more], { env: told, maxBuffer: 64 * mebibyte });
}

async function fillEfi(folder: string, disk: string): Promise<void> {
  const modules = await modulesOf(join(folder, 'modules'), wantedModules);
  const programs = [
    { name: 'init', mode: 0o755, data: Buffer.from(init) },
    { name: 'busybox', mode: 0o755, data: await readFile(join(folder, 'busybox')) },
  ];
  await writeFile(join(folder, 'initrd'), gzipSync(cpio([...programs, ...modules]), { level: 1 }));
  const [kernel = ''] = (await readdir(join(folder, 'boot'))).filter((name) => name.startsWith('vmlinuz-'));
  const entry = 'title Debian\nlinux /vmlinuz\ninitrd /initrd\noptions root=/dev/vda2 rw console=ttyAMA0\n';
  await writeFile(join(folder, 'debian.conf'), entry);
  const image = `${disk}@@${efiStart}`;
  await exec('mformat', ['-i', image, '-T', String((rootStart - efiStart) / 512), '-F', '::']);
  await exec('mmd', ['-i', image, '::/EFI', '::/EFI/BOOT', '::/loader', '::/loader/entries']);
  for (const [from, to] of [
    ['efi/systemd-bootaa64.efi', 'EFI/BOOT/BOOTAA64.EFI'],
    [`boot/${kernel}`, 'vmlinuz'],
    ['initrd', 'initrd'],
    ['debian.conf', 'loader/entries/debian.conf'],
  ] as const)
    await exec('mcopy', ['-i', image, join(folder, from), `::/${to}`]);
}
