import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Something in the home that can be made again, or a finished build. */
export type Holding = {
  readonly what:
    | 'layer'
    | 'saved state'
    | 'input'
    | 'kept file'
    | 'package'
    | 'build log'
    | 'finished build'
    | 'leftover';
  /** For people. */
  readonly name: string;
  readonly path: string;
  /** A file of several names counts once, where it lies longest. */
  readonly bytes: number;
  /** The last use, in milliseconds since 1970. */
  readonly usedMs: number;
  /** Why it stays whatever the limits are: `current`, `newest`, `in use`, `deployed on pve`. */
  readonly stays?: string;
  /** Why it goes whatever the limits are. */
  readonly goes?: string;
};

/** A holding whose files of several names (hard links) are still apart: their bytes by inode. */
export type Found = Holding & { readonly shared: ReadonlyMap<string, number> };

/** Such a file takes room until the last of its names goes: what stays counts it, else what goes last. */
export function countOnce(sorted: readonly Found[]): readonly Holding[] {
  const rank = ({ what, stays }: Found) => (stays !== undefined ? 2 : what === 'leftover' ? 0 : 1);
  const owners = new Map<string, Found>();
  for (const one of sorted.toSorted((a, b) => rank(a) - rank(b))) {
    for (const inode of one.shared.keys()) owners.set(inode, one);
  }
  return sorted.map((one) => {
    const { shared, bytes, ...rest } = one;
    const own = [...shared].filter(([inode]) => owners.get(inode) === one);
    return { ...rest, bytes: own.reduce((sum, [, size]) => sum + size, bytes) };
  });
}

/** What lies in a folder, each name by itself. */
export async function holdingsIn(
  folder: string,
  what: Holding['what'],
  belongs: (name: string) => boolean = () => true,
): Promise<readonly Found[]> {
  return Promise.all((await namesIn(folder)).filter(belongs).map((name) => holding(folder, name, what)));
}

export async function holding(folder: string, name: string, what: Holding['what']): Promise<Found> {
  const path = join(folder, name);
  return { what, name, path, ...(await measure(path)) };
}

type Measured = Pick<Found, 'bytes' | 'usedMs' | 'shared'>;

/** Bytes and last use of a file, or of a folder and all it holds. */
export async function measure(path: string): Promise<Measured> {
  const own = await lstat(path).catch(() => undefined);
  if (own === undefined) return { bytes: 0, usedMs: 0, shared: new Map() };
  const bytes = own.blocks * 512;
  const usedMs = own.mtimeMs;
  if (!own.isDirectory()) {
    if (own.nlink === 1) return { bytes, usedMs, shared: new Map() };
    return { bytes: 0, usedMs, shared: new Map([[`${own.dev}:${own.ino}`, bytes]]) };
  }
  const names = await readdir(path).catch(() => []);
  const below = await Promise.all(names.map((name) => measure(join(path, name))));
  return below.reduce(add, { bytes, usedMs, shared: new Map() });
}

function add(sum: Measured, one: Measured): Measured {
  return {
    bytes: sum.bytes + one.bytes,
    usedMs: Math.max(sum.usedMs, one.usedMs),
    shared: new Map([...sum.shared, ...one.shared]),
  };
}

/** What a folder holds, without hidden names. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'));
}
