import { type Platform, platforms } from '../../tree/boot.ts';

type Argv = readonly [string, ...string[]];

const common = [
  ...['part_gpt', 'part_msdos', 'iso9660', 'fat', 'search', 'search_fs_file', 'linux', 'normal', 'configfile'],
  ...['terminal', 'boot', 'echo', 'test', 'ls', 'cat', 'minicmd'],
];

/** GRUB's name for what BIOS starts from a CD; the boot sector of a stick starts the same. */
const ofCd: Readonly<Partial<Record<Platform, string>>> = { bios: 'i386-pc-eltorito' };

/** A file whose name no other ISO has: GRUB finds its own medium by it. */
export function markFile(id: string): string {
  return `.disk/${id}.uuid`;
}

/** What GRUB runs before its menu. */
export function earlyConfig(id: string): string {
  return `search.file /${markFile(id)} root\nset prefix=($root)/boot/grub\n`;
}

/** The same for a GRUB that was made by others: for it this is the whole menu, so it is led to ours. */
export function signedConfig(id: string): string {
  return `${earlyConfig(id)}configfile $prefix/grub.cfg\n`;
}

/** Makes a boot loader of modules in a folder (grub-mkimage(1)). */
export function coreArgv(platform: Platform, at: { modules: string; config: string; output: string }): Argv {
  const { grub, extra } = platforms[platform];
  const format = ofCd[platform] ?? grub;
  const files = ['-d', at.modules, '-c', at.config, '-p', '/boot/grub', '-o', at.output];
  return ['grub-mkimage', '-O', format, ...files, ...new Set([...common, ...extra])];
}

/** Files by their paths in a file system or an ISO, without a slash at their start, and where they are here. */
export type Placed = ReadonlyMap<string, string>;

/** Make the file system that UEFI starts from; its files have so many bytes in all. */
export function espArgvs(image: string, files: Placed, { bytes, serial }: { bytes: number; serial: string }): Argv[] {
  const sectors = Math.ceil((bytes + espSlack) / espUnit) * (espUnit / 512);
  const shape = ['-C', '-T', String(sectors), '-h', '64', '-s', '32', '-v', 'ESP', '-N', serial];
  const folders = new Set([...files.keys()].map((path) => `::/${path.slice(0, path.lastIndexOf('/'))}`));
  return [
    ['mformat', ...shape, '-i', image, '::'],
    ['mmd', '-i', image, '::/EFI', ...folders],
    ...[...files].map(([path, from]): Argv => ['mcopy', '-m', '-i', image, from, `::/${path}`]),
  ];
}

const espUnit = 1024 * 1024;
const espSlack = espUnit;

export type WriteLive = {
  readonly output: string;
  readonly volumeId: string;
  /** Seconds since 1970: of everything in it. */
  readonly epoch: number;
  /** The GUID of its table of partitions. */
  readonly guid: string;
  readonly files: Placed;
  /** Of GRUB, for BIOS: what starts a CD is one of `files`, what starts a stick is its first sector. */
  readonly bios?: { readonly path: string; readonly firstSector: string };
  /** The file system for UEFI, here. */
  readonly efi?: string;
};

/**
 * Writes an ISO that boots as a CD and as a disk: under BIOS by El Torito and by its first sector, under UEFI by a
 * partition behind the files that El Torito names too. Where the files begin is a partition as well, so that a stick can
 * be mounted and have more partitions at once.
 */
export function writeLiveArgv(request: WriteLive): Argv {
  const { output, volumeId, epoch, guid, files, bios, efi } = request;
  const date = dateText(epoch);
  const disk = ['-partition_offset', '16', '--gpt_disk_guid', guid.replaceAll('-', '')];
  const loading = ['-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', '--grub2-boot-info'];
  const efiType = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B';
  return [
    ...(['xorriso', '-no_rc', '-as', 'mkisofs', '-quiet'] as const),
    ...['-iso-level', '3', '-r', '-V', volumeId, '-o', output],
    ...[`--modification-date=${date}00`, '--set_all_file_dates', `=${epoch}`],
    ...disk,
    ...(bios === undefined ? [] : ['--grub2-mbr', bios.firstSector, '--mbr-force-bootable']),
    ...(efi === undefined ? [] : ['-append_partition', '2', efiType, efi, '-appended_part_as_gpt']),
    ...['-c', 'boot/boot.cat'],
    ...(bios === undefined ? [] : ['-b', bios.path, ...loading]),
    ...(bios === undefined || efi === undefined ? [] : ['-eltorito-alt-boot']),
    ...(efi === undefined ? [] : ['-e', '--interval:appended_partition_2:all::', '-no-emul-boot']),
    '-graft-points',
    ...[...files].map(([path, from]) => `${path}=${grafted(from)}`),
  ];
}

/** What of the environment decides bytes. */
export function writeLiveEnv(epoch: number): Readonly<Record<string, string>> {
  return { SOURCE_DATE_EPOCH: String(epoch), TZ: 'UTC' };
}

/** `YYYYMMDDhhmmss`, UTC. */
function dateText(epoch: number): string {
  return new Date(epoch * 1000)
    .toISOString()
    .replaceAll(/[^0-9]/g, '')
    .slice(0, 14);
}

/** In a graft point `=` and `\` are escaped (mkisofs(8)). */
function grafted(path: string): string {
  return path.replaceAll(/[\\=]/g, (letter) => `\\${letter}`);
}
