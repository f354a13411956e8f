/** How the menu starts the system. */
export const liveEntries = ['live', 'toram', 'persistence'] as const;
export type LiveEntry = (typeof liveEntries)[number];

export type LiveMenu = {
  /** What is started, as the entries call it. */
  readonly name: string;
  readonly words: readonly string[];
  /** Label of the file system that changes are kept on; undefined: no such entry. */
  readonly persistence: string | undefined;
  readonly first: LiveEntry;
  readonly timeoutSeconds: number;
  /** Whether GRUB is to talk on the serial port too. */
  readonly serial: boolean;
};

const serialText = 'serial --unit=0 --speed=115200\nterminal_input console serial\nterminal_output console serial\n';

/** The menu of a live ISO (live-boot(7)), for GRUB. */
export function liveMenu(menu: LiveMenu): string {
  const { name, persistence, first, timeoutSeconds, serial } = menu;
  const kept = persistence === undefined ? [] : ['persistence', `persistence-label=${persistence}`];
  return [
    '# Written by Ingot.',
    ...(serial ? [serialText.trimEnd()] : []),
    // Set where GRUB of another medium starts this ISO as a file (loopback.cfg).
    'if [ -n "$iso_path" ]; then',
    '  set from="findiso=$iso_path"',
    'fi',
    `set default=${first}`,
    'set timeout_style=menu',
    `set timeout=${timeoutSeconds}`,
    ...entry(`${name}, live`, 'live', menu, []),
    ...entry(`${name}, copied to memory`, 'toram', menu, ['toram']),
    ...(persistence === undefined ? [] : entry(`${name}, changes kept`, 'persistence', menu, kept)),
    ...entry('Check this medium, then restart', 'check', menu, ['verify-checksums=sha256']),
    '',
  ].join('\n');
}

function entry(title: string, id: string, { words }: LiveMenu, more: readonly string[]): readonly string[] {
  const line = ['/live/vmlinuz', 'boot=live', ...[...more, ...words].map(grubWord), '$from'].join(' ');
  return [`menuentry ${quoted(title)} --id ${id} {`, `  linux ${line}`, '  initrd /live/initrd.img', '}'];
}

/** A word as GRUB reads it: `;`, `$` and the like are letters between single quotes. */
function grubWord(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : quoted(word);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Where the root file system is in the ISO; live-boot(7) takes what is in this folder. */
export const squashFile = 'live/filesystem.squashfs';

/** For GRUB of other media that start this ISO as a file. */
export const loopbackMenu = 'source /boot/grub/grub.cfg\n';
