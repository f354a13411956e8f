/** Reads bytes of a disk. */
export type Read = (offset: number, length: number) => Promise<Buffer>;

export type Ext4Entry = {
  /** `/etc/hostname`, as bytes in latin1: names need not be text. */
  readonly path: string;
  /** `f d l c b p s`. */
  readonly type: string;
  /** Permissions, with the bits above them. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since 1970. */
  readonly changed: number;
  /** Where a link leads. */
  readonly target?: string;
};

export type Ext4 = {
  /** Everything in it but its root, each folder before what it holds. */
  list(): AsyncGenerator<Ext4Entry>;
  /** The bytes of a file by its path, which has no links in it; undefined where there is none. */
  read(path: string): Promise<Buffer | undefined>;
  readonly volume: Volume;
};

/** What a reader has to know (linux/fs/ext4/ext4.h, EXT4_FEATURE_INCOMPAT_*): names with types, extents, 64 bit, … */
const known = 0x2 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x20000;
const magic = 0xef53;
const superblockAt = 1024;
const rootInode = 2;

/**
 * Open an ext4 file system at `start` of a disk, as Documentation/filesystems/ext4 describes it; undefined where there
 * is none, or one with a journal to be replayed or with features that this reader does not know.
 */
export async function openExt4(read: Read, start: number): Promise<Ext4 | undefined> {
  const volume = await openVolume(read, start);
  if (volume === undefined) return undefined;
  return {
    volume,
    list: () => walk(volume, rootInode, ''),
    read: async (path) => {
      const number = await inodeAt(volume, path);
      const inode = number === undefined ? undefined : await inodeOf(volume, number);
      return inode === undefined || typeOf(inode) !== 'f' ? undefined : contentOf(volume, inode);
    },
  };
}

export type Volume = {
  /** When it was made, in seconds since 1970. */
  readonly madeAt: number;
  readonly blockSize: number;
  readonly inodeSize: number;
  readonly inodesPerGroup: number;
  /** The first byte of each group's table. */
  readonly tables: readonly number[];
  readonly read: Read;
};

async function openVolume(disk: Read, start: number): Promise<Volume | undefined> {
  const sb = await disk(start + superblockAt, 1024);
  if (sb.length < 1024 || sb.readUInt16LE(0x38) !== magic) return undefined;
  if ((sb.readUInt32LE(0x60) & ~known) !== 0) return undefined;
  const read: Read = (offset, length) => disk(start + offset, length);
  const blockSize = 1024 << sb.readUInt32LE(0x18);
  const is64 = (sb.readUInt32LE(0x60) & 0x80) !== 0;
  const blocks = sb.readUInt32LE(0x4) + (is64 ? sb.readUInt32LE(0x150) * 2 ** 32 : 0);
  const firstBlock = sb.readUInt32LE(0x14);
  const groups = Math.ceil((blocks - firstBlock) / sb.readUInt32LE(0x20));
  const size = is64 ? sb.readUInt16LE(0xfe) : 32;
  const descriptors = await read((firstBlock + 1) * blockSize, groups * size);
  const tables = Array.from({ length: groups }, (_, group) => {
    const low = descriptors.readUInt32LE(group * size + 0x8);
    const high = size >= 64 ? descriptors.readUInt32LE(group * size + 0x28) : 0;
    return (high * 2 ** 32 + low) * blockSize;
  });
  const inodeSize = sb.readUInt32LE(0x4c) === 0 ? 128 : sb.readUInt16LE(0x58);
  return { madeAt: sb.readUInt32LE(0x108), blockSize, inodeSize, inodesPerGroup: sb.readUInt32LE(0x28), tables, read };
}

export async function inodeOf(volume: Volume, number: number): Promise<Buffer> {
  const { inodesPerGroup, inodeSize, tables } = volume;
  const table = tables[Math.floor((number - 1) / inodesPerGroup)] ?? 0;
  return volume.read(table + ((number - 1) % inodesPerGroup) * inodeSize, inodeSize);
}

const types = new Map([
  ...([
    [0x8000, 'f'],
    [0x4000, 'd'],
    [0xa000, 'l'],
    [0x2000, 'c'],
    [0x6000, 'b'],
    [0x1000, 'p'],
    [0xc000, 's'],
  ] as const),
]);

function typeOf(inode: Buffer): string {
  return types.get((inode.readUInt16LE(0) & 0xf000) as 0x8000) ?? '?';
}

function sizeOf(inode: Buffer): number {
  return inode.readUInt32LE(0x4) + inode.readUInt32LE(0x6c) * 2 ** 32;
}

function changedOf(inode: Buffer): number {
  const extra = inode.length > 0x8c && inode.readUInt16LE(0x80) >= 0xc ? inode.readUInt32LE(0x88) & 3 : 0;
  return inode.readInt32LE(0x10) + extra * 2 ** 32;
}

export async function entryOf(volume: Volume, path: string, inode: Buffer): Promise<Ext4Entry> {
  const type = typeOf(inode);
  return {
    ...{ path, type, mode: inode.readUInt16LE(0) & 0o7777, size: sizeOf(inode), changed: changedOf(inode) },
    uid: inode.readUInt16LE(0x2) + inode.readUInt16LE(0x78) * 2 ** 16,
    gid: inode.readUInt16LE(0x18) + inode.readUInt16LE(0x7a) * 2 ** 16,
    ...(type === 'l' ? { target: (await targetOf(volume, inode)).toString('latin1') } : {}),
  };
}

/** A short target is in the inode itself, in the place of blocks. */
async function targetOf(volume: Volume, inode: Buffer): Promise<Buffer> {
  const size = sizeOf(inode);
  return size < 60 ? inode.subarray(0x28, 0x28 + size) : contentOf(volume, inode);
}

async function* walk(volume: Volume, number: number, path: string): AsyncGenerator<Ext4Entry> {
  for (const [name, child] of await namesIn(volume, await inodeOf(volume, number))) {
    const inode = await inodeOf(volume, child);
    yield await entryOf(volume, `${path}/${name}`, inode);
    if (typeOf(inode) === 'd') yield* walk(volume, child, `${path}/${name}`);
  }
}

/** The number of what is at a path, which has no links in it; undefined where there is nothing. */
export async function inodeAt(volume: Volume, path: string): Promise<number | undefined> {
  let number = rootInode;
  for (const name of path.split('/').filter((part) => part !== '')) {
    const inode = await inodeOf(volume, number);
    const child = typeOf(inode) === 'd' ? (await namesIn(volume, inode)).get(name) : undefined;
    if (child === undefined) return undefined;
    number = child;
  }
  return number;
}

/** The inodes of a folder by name. Its index looks to a reader that does not know it like entries that are empty. */
export async function namesIn(volume: Volume, folder: Buffer): Promise<ReadonlyMap<string, number>> {
  const bytes = await contentOf(volume, folder);
  const names = new Map<string, number>();
  for (let at = 0; at + 8 <= bytes.length; ) {
    const inode = bytes.readUInt32LE(at);
    const length = bytes.readUInt16LE(at + 4);
    if (length < 8) throw new Error('a folder of an ext4 file system is damaged');
    const name = bytes.toString('latin1', at + 8, at + 8 + (bytes[at + 6] ?? 0));
    if (inode !== 0 && name !== '.' && name !== '..' && name !== '') names.set(name, inode);
    at += length;
  }
  return names;
}

/** Blocks of a file in a row: the first one's number in the file and on the disk, and how many. */
export type Run = { readonly from: number; readonly block: number; readonly count: number };

export async function contentOf(volume: Volume, inode: Buffer): Promise<Buffer> {
  const { blockSize } = volume;
  const size = sizeOf(inode);
  const content = Buffer.alloc(Math.ceil(size / blockSize) * blockSize);
  for await (const { from, block, count } of runsOf(volume, inode)) {
    if (from * blockSize >= content.length) continue;
    const length = Math.min(count * blockSize, content.length - from * blockSize);
    (await volume.read(block * blockSize, length)).copy(content, from * blockSize);
  }
  return content.subarray(0, size);
}

/** Where the content of a file is, in its order; what lies between is zeros. */
export function runsOf(volume: Volume, inode: Buffer): AsyncGenerator<Run> {
  const hasExtents = (inode.readUInt32LE(0x20) & 0x80000) !== 0;
  const place = inode.subarray(0x28, 0x64);
  return hasExtents ? runsOfExtents(volume, place) : runsOfBlocks(volume, place);
}

/** A tree of extents, its root in the inode. One that was never written (longer than 2^15) reads as zeros. */
async function* runsOfExtents(volume: Volume, node: Buffer): AsyncGenerator<Run> {
  const isLeaf = node.readUInt16LE(6) === 0;
  for (let i = 1; i <= node.readUInt16LE(2); i += 1) {
    const at = i * 12;
    if (isLeaf) {
      const count = node.readUInt16LE(at + 4);
      const block = node.readUInt16LE(at + 6) * 2 ** 32 + node.readUInt32LE(at + 8);
      if (count <= 1 << 15) yield { from: node.readUInt32LE(at), block, count };
    } else {
      const block = node.readUInt16LE(at + 8) * 2 ** 32 + node.readUInt32LE(at + 4);
      yield* runsOfExtents(volume, await volume.read(block * volume.blockSize, volume.blockSize));
    }
  }
}

/** The way of ext2: twelve blocks, then blocks of block numbers, one to three deep. */
async function* runsOfBlocks(volume: Volume, place: Buffer): AsyncGenerator<Run> {
  const perBlock = volume.blockSize / 4;
  let from = 0;
  for (let slot = 0; slot < 15; slot += 1) {
    const depth = Math.max(0, slot - 11);
    yield* runsBelow(volume, { block: place.readUInt32LE(slot * 4), depth, from });
    from += perBlock ** depth;
  }
}

async function* runsBelow(
  volume: Volume,
  { block, depth, from }: { readonly block: number; readonly depth: number; readonly from: number },
): AsyncGenerator<Run> {
  if (block === 0) return;
  if (depth === 0) {
    yield { from, block, count: 1 };
    return;
  }
  const numbers = await volume.read(block * volume.blockSize, volume.blockSize);
  const perBlock = volume.blockSize / 4;
  for (let i = 0; i < perBlock; i += 1) {
    yield* runsBelow(volume, {
      block: numbers.readUInt32LE(i * 4),
      depth: depth - 1,
      from: from + i * perBlock ** (depth - 1),
    });
  }
}
