/** What a boot loader starts: paths in the root file system, and the kernel's command line. */
export type BootEntry = { readonly kernel: string; readonly initrd: string; readonly cmdline: string };

export const grubMenu = '/boot/grub/grub.cfg';
export const grubEnvironment = '/boot/grub/grubenv';

/**
 * What GRUB would start without being asked: the first entry of its menu with a kernel, an initial RAM disk and a named
 * root. Undefined where that is decided by more than plain text, such as variables or an entry that was saved.
 */
export function firstEntry(menu: string, environment = ''): BootEntry | undefined {
  if (/^(saved|next)_entry=./m.test(environment)) return undefined;
  const defaults = [...menu.matchAll(/^\s*set default=(\S+)/gm)].map(([, value]) => value?.replaceAll('"', ''));
  // Only where an entry was saved do the variables hold anything.
  if (defaults.some((value) => value !== '0' && value !== `\${next_entry}`)) return undefined;
  const lines = menu.split('\n').map((line) => line.trim());
  const entry = lines.findIndex((line) => line.startsWith('menuentry '));
  if (entry === -1) return undefined;
  const rest = lines.slice(entry).filter((line) => /^(linux|initrd)(efi|16)?\s/.test(line));
  const [, kernel = '', cmdline = ''] = /^linux\S*\s+(\S+)\s+(.*)$/.exec(rest[0] ?? '') ?? [];
  const [, initrd = ''] = /^initrd\S*\s+(\S+)$/.exec(rest[1] ?? '') ?? [];
  const isPlain = [kernel, initrd].every((path) => /^\/[\w./+~-]+$/.test(path)) && !/[$`"'\\]/.test(cmdline);
  return isPlain && /(^| )root=\S/.test(cmdline) ? { kernel, initrd, cmdline: cmdline.trim() } : undefined;
}
