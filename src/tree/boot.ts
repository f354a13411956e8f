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

/**
 * Prints a GRUB core image in base64, made inside the image by its own GRUB: so the loader is pinned with the other
 * packages and the build machine needs none. It finds the root file system by UUID and reads its /boot/grub/grub.cfg.
 */
export function coreImageScript(platform: Platform, rootUuid: string, filesystem: Filesystem): Script {
  const { grub, extra } = platforms[platform];
  const modules = [...common, ...extra, fileSystemModule[filesystem]];
  const config = `search.fs_uuid ${rootUuid} root\nset prefix=($root)/boot/grub\n`;
  return {
    text: `set -eu
printf '%s' "$1" > /tmp/load.cfg
grub-mkimage -O ${grub} -d /usr/lib/grub/${grub} -c /tmp/load.cfg -p /boot/grub -o /tmp/core.img ${modules.join(' ')}
base64 /tmp/core.img
`,
    args: [config],
  };
}

/** Prints GRUB's boot sector in base64. */
export const bootSectorScript: Script = { text: 'set -eu\nbase64 /usr/lib/grub/i386-pc/boot.img\n' };

/** Says what boot loader packages an image lacks, one name a line. */
export function missingLoaderScript(arch: Arch): Script {
  const tests = platformsOf(arch).map(
    (platform) => `[ -d /usr/lib/grub/${platforms[platform].grub} ] || echo ${debianPackage[platform]}`,
  );
  return { text: `${tests.join('\n')}\ncommand -v grub-mkimage >/dev/null || echo grub-common\n` };
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
