import type { Read } from './ext4.ts';

/** Bytes of a disk from `start` to before `end`. */
export type FreeRange = { readonly start: number; readonly end: number };

/** RO_COMPAT_BIGALLOC: bits stand for clusters of blocks. */
const bigalloc = 0x200;
/** INCOMPAT_META_BG: descriptors are spread over the disk. */
const metaGroups = 0x10;
const blockUninitialized = 0x2;

/**
 * What an ext4 file system at `start` of a disk says nobody uses, in bytes of the disk and in order; nothing where there
 * is none, or one whose bitmaps this reader does not know. As Documentation/filesystems/ext4 describes it.
 */
export async function* freeRanges(read: Read, start: number): AsyncGenerator<FreeRange> {
  const sb = await read(start + 1024, 1024);
  if (sb.length < 1024 || sb.readUInt16LE(0x38) !== 0xef53) return;
  if ((sb.readUInt32LE(0x64) & bigalloc) !== 0 || (sb.readUInt32LE(0x60) & metaGroups) !== 0) return;
  const volume = await describe(sb, (offset, length) => read(start + offset, length));
  const { blockSize, firstBlock, blocks, perGroup } = volume;
  for (const [group, { isEmpty, bitmap }] of volume.groups.entries()) {
    const first = firstBlock + group * perGroup;
    const count = Math.min(perGroup, blocks - first);
    const used = isEmpty ? Buffer.alloc(blockSize) : Buffer.from(await read(start + bitmap * blockSize, blockSize));
    if (isEmpty) for (let i = 0; i < Math.min(count, volume.backupBlocks); i += 1) mark(used, i);
    for (const block of volume.metadata) if (block >= first && block < first + count) mark(used, block - first);
    for (const [from, to] of clearRuns(used, count)) {
      yield { start: start + (first + from) * blockSize, end: start + (first + to) * blockSize };
    }
  }
}

type Volume = {
  readonly blockSize: number;
  readonly firstBlock: number;
  readonly blocks: number;
  readonly perGroup: number;
  /** How many blocks a copy of superblock and descriptors takes at the begin of a group. */
  readonly backupBlocks: number;
  readonly groups: readonly { readonly isEmpty: boolean; readonly bitmap: number }[];
  /** Bitmaps and tables of inodes, which need not lie in their own group. */
  readonly metadata: ReadonlySet<number>;
};

async function describe(sb: Buffer, read: Read): Promise<Volume> {
  const blockSize = 1024 << sb.readUInt32LE(0x18);
  const is64 = (sb.readUInt32LE(0x60) & 0x80) !== 0;
  const blocks = sb.readUInt32LE(0x4) + (is64 ? sb.readUInt32LE(0x150) * 2 ** 32 : 0);
  const firstBlock = sb.readUInt32LE(0x14);
  const perGroup = sb.readUInt32LE(0x20);
  const size = is64 ? sb.readUInt16LE(0xfe) : 32;
  const count = Math.ceil((blocks - firstBlock) / perGroup);
  const table = await read((firstBlock + 1) * blockSize, count * size);
  const inodeBlocks = Math.ceil((sb.readUInt32LE(0x28) * (sb.readUInt16LE(0x58) || 128)) / blockSize);
  const metadata = new Set<number>();
  const groups = Array.from({ length: count }, (_, group) => {
    const entry = table.subarray(group * size, (group + 1) * size);
    const pointer = (at: number) => entry.readUInt32LE(at) + (size >= 64 ? entry.readUInt32LE(at + 0x20) * 2 ** 32 : 0);
    const [bitmap, inodeBitmap, inodes] = [pointer(0), pointer(4), pointer(8)];
    for (const block of [bitmap, inodeBitmap]) metadata.add(block);
    for (let i = 0; i < inodeBlocks; i += 1) metadata.add(inodes + i);
    return { bitmap, isEmpty: (entry.readUInt16LE(0x12) & blockUninitialized) !== 0 };
  });
  const backupBlocks = 1 + Math.ceil((count * size) / blockSize) + sb.readUInt16LE(0xce);
  return { blockSize, firstBlock, blocks, perGroup, backupBlocks, groups, metadata };
}

function mark(bitmap: Buffer, bit: number): void {
  bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) | (1 << (bit & 7));
}

/** Neighbouring bits that are not set, of the first `count`: from the first to before the last. */
function* clearRuns(bitmap: Buffer, count: number): Generator<readonly [number, number]> {
  let from: number | undefined;
  for (let bit = 0; bit < count; bit += 1) {
    const isSet = ((bitmap[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
    if (!isSet) from ??= bit;
    else if (from !== undefined) {
      yield [from, bit];
      from = undefined;
    }
  }
  if (from !== undefined) yield [from, count];
}
