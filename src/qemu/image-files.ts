import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';

export type ImageEntry = {
  readonly name: string;
  readonly kind: 'file' | 'directory';
  readonly size: number;
  /** Seconds since 1970; of a link its own. */
  readonly changed: number;
};

/** The root file system of a disk image, read without mounting or booting it. Links are followed. */
export type ImageFiles = {
  /** What a folder holds, without `.` and `..`; empty where there is no such folder. */
  list(folder: string): Promise<readonly ImageEntry[]>;
  /** The text of a file, or undefined where there is none. */
  readText(path: string): Promise<string | undefined>;
  /** Copy a file out of the image. */
  copy(path: string, to: string): Promise<void>;
};

/**
 * Open the root partition of a raw disk. The reader is GRUB's own (grub-fstest): it knows every table of partitions and
 * every file system an image can boot from, logical volumes too, and needs neither root nor a loop device.
 */
export async function openImage(raw: string, ctx: Context): Promise<ImageFiles> {
  const { host, signal } = ctx;
  const { stdout } = await host.run({ argv: fstestArgv(raw, 'ls', []) }, { signal });
  for (const device of parseDevices(stdout)) {
    const files = reader(raw, device, ctx);
    if ((await files.readText('/etc/os-release')) !== undefined) return files;
  }
  throw new IngotError({
    code: 'CHECK_FAILED',
    message: 'no partition of the disk holds a root file system that can be read',
    hint: 'the file system must be one that GRUB knows: ext4, xfs or btrfs, and not encrypted',
  });
}

function reader(raw: string, device: string, { host, signal }: Context): ImageFiles {
  const ask = (command: string, ...words: readonly string[]) =>
    host.run({ argv: fstestArgv(raw, command, words) }, { signal, ok: [0, 1] });
  return {
    list: async (folder) => {
      const path = `${device}${folder.endsWith('/') ? folder : `${folder}/`}`;
      return parseListing((await ask('ls', '-l', '-a', path)).stdout);
    },
    readText: async (path) => {
      const { exitCode, stdout } = await ask('cat', `${device}${path}`);
      return exitCode === 0 ? stdout : undefined;
    },
    copy: async (path, to) => {
      await host.run({ argv: fstestArgv(raw, 'cp', [`${device}${path}`, to]) }, { signal });
    },
  };
}

/** What may hold a file system, of `(proc) (loop0) (loop0,msdos5) (loop0,msdos1) (host)`: partitions by their numbers, the whole disk last. */
export function parseDevices(text: string): readonly string[] {
  const devices = (text.match(/\([^)]+\)/g) ?? []).filter((name) => name !== '(proc)' && name !== '(host)');
  const rank = (name: string) => (name === '(loop0)' ? Number.MAX_VALUE : Number(/(\d+)\)$/.exec(name)?.[1] ?? 0));
  return devices.toSorted((a, b) => rank(a) - rank(b));
}

/** `--` comes first: words after it are the command's own options. */
export function fstestArgv(raw: string, command: string, words: readonly string[]): readonly [string, ...string[]] {
  return ['grub-fstest', '--', raw, command, ...words];
}

/** GRUB's long listing: size or DIR, time (UTC), name (with a slash for folders). */
export function parseListing(text: string): readonly ImageEntry[] {
  return text.split('\n').flatMap((line): readonly ImageEntry[] => {
    const [, size, time, name] = /^(DIR|\d+)\s+(\d{14})\s(.+)$/.exec(line) ?? [];
    if (size === undefined || time === undefined || name === undefined || name === './' || name === '../') return [];
    const changed = secondsOf(time);
    if (size === 'DIR') return [{ name: name.replace(/\/$/, ''), kind: 'directory', size: 0, changed }];
    return [{ name, kind: 'file', size: Number(size), changed }];
  });
}

function secondsOf(time: string): number {
  return Date.parse(time.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z')) / 1000;
}
