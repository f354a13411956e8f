import type { Arch } from '../../core/arch.ts';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { parseOsRelease } from '../../core/os-release.ts';
import type { Firmware } from '../../core/spec.ts';
import { newestKernel } from '../../guest/boot-files.ts';
import { firstEntry, grubMenu } from '../../qemu/boot-entry.ts';
import type { Ext4 } from '../../qemu/ext4.ts';
import { ext4Tree, type TreeEntry } from '../../qemu/ext4-tree.ts';
import { debianPackage, type Platform, platforms } from '../../tree/boot.ts';
import { serialConsole } from '../../tree/seal.ts';

/** What an image has to start as a live system. */
export type LiveSystem = {
  /** As its os-release(5) says: `Debian GNU/Linux 13 (trixie)`, `debian`. */
  readonly name: string;
  readonly id: string;
  readonly kernel: TreeEntry;
  readonly initrd: TreeEntry;
  /** Words for the kernel that its own boot loader gives it, but for those about a disk. */
  readonly words: readonly string[];
  readonly fstab: string;
  /** GRUB's platforms that it is to boot on. */
  readonly platforms: readonly Platform[];
};

/** Read from a root file system; where it would not start as a live system, what it lacks and what to do. */
export async function liveSystemOf(
  root: Ext4,
  { arch, firmware }: { readonly arch: Arch; readonly firmware: readonly Firmware[] },
  ctx: Context,
): Promise<LiveSystem> {
  await refuseWithoutLiveBoot(root);
  const boot = await entriesIn(root, '/boot');
  const version = newestKernel(boot.filter(({ path }) => boot.some((one) => one.path === initrdOf(path))));
  const find = (path: string) => boot.find((entry) => entry.path === path);
  const [kernel, initrd] = [find(`/boot/vmlinuz-${version}`), find(`/boot/initrd.img-${version}`)];
  if (version === undefined || kernel === undefined || initrd === undefined) {
    throw refusal('it has no kernel with an initrd in /boot', 'let the source choose a kernel: `kernel: generic`');
  }
  await checkModules(root, version, ctx);
  const wanted = firmware.map((one): Platform => (one === 'bios' ? 'bios' : arch));
  await refuseWithoutLoaders(root, wanted);
  const release = parseOsRelease((await textOf(root, '/etc/os-release', '/usr/lib/os-release')) ?? '');
  return {
    name: release['PRETTY_NAME'] ?? release['NAME'] ?? 'Linux',
    id: release['ID'] ?? 'linux',
    ...{ kernel, initrd },
    words: liveWords(firstEntry((await textOf(root, grubMenu)) ?? '')?.cmdline ?? defaultCmdline(arch)),
    fstab: (await textOf(root, '/etc/fstab')) ?? '',
    platforms: wanted,
  };
}

function refusal(why: string, hint: string): IngotError {
  return new IngotError({ code: 'SPEC_INVALID', message: `no live ISO can be made of this image: ${why}`, hint });
}

async function textOf(root: Ext4, ...paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = (await root.read(path))?.toString('utf8');
    if (text !== undefined) return text;
  }
  return undefined;
}

async function entriesIn({ volume }: Ext4, folder: string): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  for await (const entry of ext4Tree(volume, folder)) entries.push(entry);
  return entries;
}

function initrdOf(kernel: string): string {
  return kernel.replace('/vmlinuz-', '/initrd.img-');
}

/** Where its package has what goes into the initrd. */
const liveBoot = '/usr/share/initramfs-tools/scripts/live';

async function refuseWithoutLiveBoot(root: Ext4): Promise<void> {
  if ((await textOf(root, liveBoot)) !== undefined) return;
  throw refusal(
    'its initrd cannot start one, for the package live-boot is missing',
    'add `live-boot` to its packages (`- packages: [live-boot]` in its steps)',
  );
}

const needed = ['squashfs', 'overlay', 'isofs', 'loop', 'sr_mod'];
const ofSticks = ['usb-storage', 'xhci-pci'];

async function checkModules(root: Ext4, version: string, ctx: Context): Promise<void> {
  const lists = ['dep', 'builtin'].map((name) => root.read(`/usr/lib/modules/${version}/modules.${name}`));
  const known = modulesIn((await Promise.all(lists)).map((list) => list?.toString('latin1') ?? '').join('\n'));
  const lacking = (names: readonly string[]) => names.filter((name) => !known.has(name)).join(', ');
  const fix = 'take a kernel for any machine: `kernel: generic` in its source';
  if (lacking(needed) !== '') throw refusal(`its kernel ${version} has no ${lacking(needed)}`, fix);
  if (lacking(ofSticks) === '') return;
  const message = `the kernel ${version} has no ${lacking(ofSticks)}: the ISO boots virtual machines, and real ones from a CD alone`;
  ctx.emit({ type: 'warning', message, hint: fix });
}

/** Names of kernel modules in modules.dep and modules.builtin (kmod). */
export function modulesIn(text: string): ReadonlySet<string> {
  return new Set(text.split('\n').flatMap((line) => /^[^:]*?([^/:]+)\.ko/.exec(line)?.[1] ?? []));
}

async function refuseWithoutLoaders(root: Ext4, wanted: readonly Platform[]): Promise<void> {
  const missing: string[] = [];
  for (const platform of wanted) {
    const found = await entriesIn(root, `${modulesFolder(platform)}/kernel.img`);
    if (found.length === 0) missing.push(debianPackage[platform]);
  }
  if (missing.length === 0) return;
  const names = missing.join(', ');
  throw refusal(`it has no boot loader, ${names} missing`, `add \`- packages: [${names}]\` to its steps`);
}

/** Where an image has GRUB's modules. */
export function modulesFolder(platform: Platform): string {
  return `/usr/lib/grub/${platforms[platform].grub}`;
}

function defaultCmdline(arch: Arch): string {
  return `console=tty0 console=${serialConsole[arch]}`;
}

const ofDisks = /^(root|rootflags|rootfstype|resume|BOOT_IMAGE)=|^(ro|rw|boot=live)$/;

/** The words of a kernel's command line that have nothing to do with a disk. */
export function liveWords(cmdline: string): readonly string[] {
  return cmdline.split(/\s+/).filter((word) => word !== '' && !ofDisks.test(word));
}

const ownPlaces = new Set(['/', '/boot', '/boot/efi', 'none', 'swap']);

/** An fstab(5) without the disk that the image was, which must not be looked for on another machine. */
export function liveFstab(text: string): string {
  const lines = text.split('\n').filter((line) => {
    const place = line.trim().split(/\s+/)[1];
    return line.trim().startsWith('#') || place === undefined || !ownPlaces.has(place);
  });
  return lines.join('\n');
}
