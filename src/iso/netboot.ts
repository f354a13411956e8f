import { IngotError } from '../core/errors.ts';
import type { IsoDistribution } from '../core/isos.ts';
import type { Delivery } from '../core/media.ts';
import { checkLine } from './boot-line.ts';
import { grubWord } from './grub.ts';

/** How an installer is started over the network. */
export type Netboot = {
  readonly answers: Extract<Delivery['by'], 'initrd' | 'url'>;
  /** Its ISO has a kernel and initrd that start this way; else netboot files are needed. */
  readonly fromIso: boolean;
  /** The ISO is fetched by what was started: it lies in the folder too. */
  readonly isoBeside: boolean;
  /** Added to its line; `iso`: the address of that ISO. */
  words(iso: string): readonly string[];
};

// Ubuntu: "Netbooting the server installer on amd64". Fedora: dracut.cmdline(7), and Anaconda's boot options.
const netboots: Readonly<Record<IsoDistribution, Netboot | undefined>> = {
  debian: { answers: 'initrd', fromIso: false, isoBeside: false, words: () => [] },
  ubuntu: {
    answers: 'url',
    fromIso: true,
    isoBeside: true,
    words: (iso) => ['root=/dev/ram0', 'ramdisk_size=1500000', 'ip=dhcp', 'cloud-config-url=/dev/null', `url=${iso}`],
  },
  fedora: { answers: 'initrd', fromIso: true, isoBeside: false, words: () => ['ip=dhcp'] },
  alpine: { answers: 'initrd', fromIso: false, isoBeside: false, words: () => ['ip=dhcp'] },
  proxmox: undefined,
};

/** Undefined where the vendor's installer is started from its ISO alone. */
export function netbootOf(distribution: IsoDistribution): Netboot | undefined {
  return netboots[distribution];
}

/** The names of the files in the folder. */
export const netbootFiles = { kernel: 'vmlinuz', initrd: 'initrd.img', script: 'boot.ipxe', grub: 'grub.cfg' } as const;

/**
 * A script for iPXE; it finds kernel and initrd beside itself. The kernel is told the name of its initrd: UEFI's start of
 * Linux looks it up by that (ipxe.org, "cmd/initrd").
 */
export function ipxeScript(title: string, words: readonly string[]): string {
  checkLine(words);
  refuseSettings(words);
  const { kernel, initrd } = netbootFiles;
  return [
    '#!ipxe',
    `# ${title}. What boots it loses what is on its disk.`,
    `kernel ${kernel} initrd=${initrd} ${words.join(' ')}`.trimEnd(),
    `initrd ${initrd}`,
    'boot',
    '',
  ].join('\n');
}

/**
 * The same for GRUB 2, which machines with Secure Boot start because it is signed. `config_directory` is where GRUB found
 * this file, with the server and the way to it (GRUB manual, "Special environment variables").
 */
export function grubScript(title: string, words: readonly string[]): string {
  checkLine(words);
  const { kernel, initrd } = netbootFiles;
  return [
    `# ${title}. What boots it loses what is on its disk.`,
    `linux "$config_directory/${kernel}" ${words.map(grubWord).join(' ')}`.trimEnd(),
    `initrd "$config_directory/${initrd}"`,
    'boot',
    '',
  ].join('\n');
}

// iPXE reads `${name}` as one of its settings wherever it stands, and knows no way to write these letters.
function refuseSettings(words: readonly string[]): void {
  const bad = words.find((word) => word.includes('${'));
  if (bad === undefined) return;
  throw new IngotError({ code: 'SPEC_INVALID', message: `${bad} cannot stand in a script of iPXE` });
}
