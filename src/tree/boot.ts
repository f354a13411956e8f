import type { Arch } from '../core/arch.ts';
import type { Script } from '../core/script.ts';
import type { Filesystem } from '../core/spec.ts';

const sector = 512;
const common = [
  'part_gpt',
  'search',
  'search_fs_uuid',
  'linux',
  'normal',
  'configfile',
  'terminal',
  'boot',
  'echo',
  'test',
  'ls',
  'cat',
  'minicmd',
];
const fileSystemModule: Readonly<Record<Filesystem, string>> = { ext4: 'ext2', btrfs: 'btrfs', xfs: 'xfs' };

/** GRUB's name of a platform, its module folder in the image and the name of the removable-path loader. */
export const platforms = {
  bios: { grub: 'i386-pc', extra: ['biosdisk', 'serial'], loader: undefined },
  x86_64: { grub: 'x86_64-efi', extra: ['fat', 'efi_gop', 'serial'], loader: 'BOOTX64.EFI' },
  aarch64: { grub: 'arm64-efi', extra: ['fat', 'efi_gop'], loader: 'BOOTAA64.EFI' },
} as const;

export type Platform = keyof typeof platforms;

/** Which platforms a disk of this architecture boots on. */
export function platformsOf(arch: Arch): readonly Platform[] {
  return arch === 'x86_64' ? ['bios', 'x86_64'] : ['aarch64'];
}

export type Loader = {
  /** Packages that the image lacks to make the rest. */
  readonly missing: readonly string[];
  /** GRUB's boot sector, for BIOS. */
  readonly bootSector: Buffer;
  readonly cores: Readonly<Partial<Record<Platform, Buffer>>>;
};

/**
 * Makes the boot loaders inside the image by its own GRUB: so they are pinned with the other packages and the build
 * machine needs none. Prints them for `parseLoader`, all in one run, since each takes longer to start than to do. They
 * find the root file system by UUID and read its /boot/grub/grub.cfg.
 */
export function loaderScript(arch: Arch, rootUuid: string, filesystem: Filesystem): Script {
  const wanted = platformsOf(arch);
  return {
    text: [
      'set -eu',
      `lacks() { printf 'missing %s\\n' "$1"; missing=y; }`,
      'command -v grub-mkimage >/dev/null || lacks grub-common',
      ...wanted.map((platform) => `[ -d ${modulesOf(platform)} ] || lacks ${debianPackage[platform]}`),
      '[ -z "${missing-}" ] || exit 0',
      `printf '%s' "$1" > /tmp/load.cfg`,
      ...wanted.map((platform) => coreText(platform, filesystem)),
      '',
    ].join('\n'),
    args: [`search.fs_uuid ${rootUuid} root\nset prefix=($root)/boot/grub\n`],
  };
}

function modulesOf(platform: Platform): string {
  return `/usr/lib/grub/${platforms[platform].grub}`;
}

function coreText(platform: Platform, filesystem: Filesystem): string {
  const { grub, extra } = platforms[platform];
  const modules = [...common, ...extra, fileSystemModule[filesystem]].join(' ');
  const bootSector = `printf 'sector %s\\n' "$(base64 -w0 ${modulesOf('bios')}/boot.img)"\n`;
  return `${platform === 'bios' ? bootSector : ''}core=/tmp/${platform}.img
grub-mkimage -O ${grub} -d ${modulesOf(platform)} -c /tmp/load.cfg -p /boot/grub -o "$core" ${modules}
printf '${platform} %s\\n' "$(base64 -w0 "$core")"`;
}

/** What `loaderScript` printed. */
export function parseLoader(text: string): Loader {
  const rows = text.split('\n').map((line) => line.split(' '));
  const bytes = (name: string) => Buffer.from(rows.find(([word]) => word === name)?.[1] ?? '', 'base64');
  const made = (Object.keys(platforms) as Platform[]).filter((platform) => rows.some(([word]) => word === platform));
  return {
    missing: rows.filter(([word]) => word === 'missing').map(([, name = '']) => name),
    bootSector: bytes('sector'),
    cores: Object.fromEntries(made.map((platform) => [platform, bytes(platform)])),
  };
}

/** The Debian packages with each platform's GRUB modules. */
export const debianPackage: Readonly<Record<Platform, string>> = {
  bios: 'grub-pc-bin',
  x86_64: 'grub-efi-amd64-bin',
  aarch64: 'grub-efi-arm64-bin',
};

/**
 * What `grub-bios-setup` does, on bytes: the boot sector's code area (440 bytes, the disk signature stays) told where
 * the core image starts, and the core's first sector told where its rest is. Offsets from GRUB's boot.S and diskboot.S.
 */
export function biosBoot(
  bootSector: Buffer,
  coreImage: Buffer,
  firstSector: number,
): { readonly code: Buffer; readonly core: Buffer } {
  const boot = Buffer.from(bootSector);
  boot.writeBigUInt64LE(BigInt(firstSector), 0x5c);
  boot.writeUInt16LE(0x9090, 0x66);
  const core = Buffer.alloc(Math.ceil(coreImage.length / sector) * sector);
  coreImage.copy(core);
  core.writeBigUInt64LE(BigInt(firstSector + 1), 0x1f4);
  core.writeUInt16LE(core.length / sector - 1, 0x1fc);
  return { code: boot.subarray(0, 440), core };
}
