import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type CpioFile, cpio } from '../../src/core/cpio.ts';

const exec = promisify(execFile);
const repository = new URL('../../', import.meta.url).pathname;
const debianArch = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** All that a guest boots from, in a folder. */
export type GuestParts = { readonly kernel: string; readonly initramfs: string; readonly program: string };

/** What must be loaded before disks can be mounted, in this order; some kernels have it built in. */
const modules = [
  ...['virtio_ring', 'virtio', 'virtio_pci_modern_dev', 'virtio_pci_legacy_dev', 'virtio_pci', 'virtio_blk'],
  ...['crc16', 'mbcache', 'jbd2', 'crc32c_generic', 'libcrc32c', 'ext4', 'xfs'],
];

/** A Debian kernel and an initramfs of our own, and a disk with Node, what it needs, the store and the publish loop. */
export async function makeGuest(folder: string): Promise<GuestParts> {
  const packages = join(folder, 'packages');
  await mkdir(packages, { recursive: true });
  const { stdout } = await exec('apt-cache', ['depends', `linux-image-cloud-${debianArch}`]);
  const [, kernelPackage] = /Depends: (linux-image-\S+)/.exec(stdout) ?? [];
  if (kernelPackage === undefined) throw new Error('apt knows no cloud kernel');
  // As root apt would else refuse to go without its own user, who may not write here.
  const download = ['download', '-q', '-o', 'APT::Sandbox::User=root', kernelPackage, 'busybox-static'];
  await exec('apt-get', download, { cwd: packages });
  const unpacked = join(folder, 'unpacked');
  for (const name of await readdir(packages)) await exec('dpkg-deb', ['-x', join(packages, name), unpacked]);
  const [kernel = ''] = (await readdir(join(unpacked, 'boot'))).filter((name) => name.startsWith('vmlinuz-'));
  const parts = {
    kernel: join(folder, 'kernel'),
    initramfs: join(folder, 'initramfs'),
    program: join(folder, 'program.img'),
  };
  await cp(join(unpacked, 'boot', kernel), parts.kernel);
  await writeFile(parts.initramfs, await makeInitramfs(unpacked));
  await makeProgramDisk(join(folder, 'program'), parts.program);
  await Promise.all([packages, unpacked].map((path) => rm(path, { recursive: true })));
  return parts;
}

async function makeInitramfs(unpacked: string): Promise<Buffer> {
  const entries = await readdir(join(unpacked, 'lib', 'modules'), { recursive: true, withFileTypes: true });
  const files: CpioFile[] = [
    { name: 'init', mode: 0o755, data: Buffer.from(initScript) },
    { name: 'busybox', mode: 0o755, data: await readFile(join(unpacked, 'bin', 'busybox')) },
  ];
  for (const name of modules) {
    const found = entries.find((entry) =>
      new RegExp(`^${name.replaceAll('_', '[-_]')}\\.ko(\\.xz)?$`).test(entry.name),
    );
    if (found === undefined) continue;
    const path = join(found.parentPath, found.name);
    if (path.endsWith('.xz')) await exec('xz', ['-d', path]);
    files.push({ name: `modules/${name}.ko`, mode: 0o644, data: await readFile(path.replace(/\.xz$/, '')) });
  }
  return cpio(files);
}

const initScript = `#!/busybox sh
busybox() { /busybox "$@"; }
for folder in proc sys dev program; do busybox mkdir -p /$folder; done
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
for module in ${modules.join(' ')}; do [ ! -e /modules/$module.ko ] || busybox insmod /modules/$module.ko; done
busybox mount -t ext4 -o ro /dev/vda /program || busybox poweroff -f
busybox mount -t proc proc /program/proc
busybox mount -t devtmpfs dev /program/dev
busybox mount -t tmpfs disks /program/disks
letters=bcdefgh
for name in $disks; do
  letter=\${letters%\${letters#?}} letters=\${letters#?}
  busybox mkdir /program/disks/$name
  busybox mount -t \${name%%-*} /dev/vd$letter /program/disks/$name || busybox poweroff -f
done
# What the kernel says from now on must not come between the words of the program.
busybox dmesg -n 1
exec /busybox chroot /program /node $options /main/test/faults/programs/guest.ts $first $disks
`;

/** Whatever the publish loop imports comes from the sources as they are. */
async function makeProgramDisk(root: string, image: string): Promise<void> {
  for (const name of ['proc', 'dev', 'disks', 'main']) await mkdir(join(root, name), { recursive: true });
  await cp(process.execPath, join(root, 'node'));
  const { stdout } = await exec('ldd', [process.execPath]);
  for (const library of stdout.match(/\/[^ )]+(?= \(0x)/g) ?? []) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await cp(library, join(root, library), { dereference: true });
  }
  const parts = [
    'src/core',
    'src/host',
    'src/store',
    'test/support',
    'test/faults/programs',
    'test/faults/leftovers.ts',
    'node_modules/yaml',
  ];
  for (const part of [...parts, 'package.json']) {
    await cp(join(repository, part), join(root, 'main', part), { recursive: true });
  }
  await writeFile(image, '');
  await truncate(image, 400 * 1024 * 1024);
  await exec('mke2fs', ['-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-d', root, image]);
  await rm(root, { recursive: true });
}

const qemu = {
  x64: ['qemu-system-x86_64', '-machine', 'q35', '-cpu', 'max,-cx16'],
  arm64: ['qemu-system-aarch64', '-machine', 'virt', '-cpu', 'max'],
}[process.arch as 'x64' | 'arm64'];

/** How QEMU runs a guest whose disks are called by their file system first: `ext4-real`. Its console is on stdout. */
export function guestArgv(
  parts: GuestParts,
  { disks, options, first }: { readonly disks: ReadonlyMap<string, string>; options: string; first: number },
): readonly string[] {
  const drives = [`${parts.program},readonly=on`, ...disks.values()].map((file) => {
    // Only what the guest had not written yet is to be lost: our own page cache outlives QEMU.
    return ['-drive', `file=${file},format=raw,if=virtio,cache=unsafe`];
  });
  const console = process.arch === 'arm64' ? 'ttyAMA0' : 'ttyS0';
  const words = [`console=${console}`, 'panic=-1', `disks="${[...disks.keys()].join(' ')}"`, `first=${first}`];
  return [
    ...['setpriv', '--pdeathsig', 'KILL', ...qemu, '-accel', 'tcg,thread=multi', '-smp', '2', '-m', '768'],
    ...['-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
    ...['-kernel', parts.kernel, '-initrd', parts.initramfs],
    ...['-append', [...words, ...(options === '' ? [] : [`options="${options}"`])].join(' ')],
    ...drives.flat(),
  ];
}
