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

const partitions = 16;

/**
 * Open the root partition of a raw disk. The reader is GRUB's own (grub-fstest): it knows every file system an image
 * can boot from, and needs neither root nor a loop device.
 */
export async function openImage(raw: string, ctx: Context): Promise<ImageFiles> {
  for (let number = 1; number <= partitions; number += 1) {
    const files = reader(raw, `(loop0,gpt${number})`, ctx);
    if ((await files.readText('/etc/os-release')) !== undefined) return files;
  }
  throw new IngotError({
    code: 'CHECK_FAILED',
    message: 'no partition of the disk holds a root file system that can be read',
    hint: 'the partition table must be GPT and the file system one that GRUB knows: ext4, xfs or btrfs',
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
