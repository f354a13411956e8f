import { createHash } from 'node:crypto';
import type { Context } from '../../core/context.ts';
import type { OpenFile } from '../../core/host.ts';
import { freeRanges } from '../../qemu/ext4-free.ts';
import { partitionStarts } from '../../qemu/partitions.ts';
import { bytesOf, dataWindows, diskBytes, isZero } from './data.ts';

const blockBytes = 4096;
/** Fewer unmapped blocks than this between two ranges are mapped too. */
const gap = 16;

/** From the first block to the last, with the SHA-256 of their bytes. */
type Range = { readonly first: number; readonly last: number; readonly sha256: string };

/**
 * The block map of a raw disk (bmap 2.0), by which bmaptool writes a card in less time and checks what it wrote. Left out
 * is only what is zero *and* free in an ext4 file system: a hole can be a file's zeros or an empty table of inodes, and
 * would then be whatever an old card holds there.
 */
export async function blockMap(disk: string, ctx: Context): Promise<string> {
  const bytes = await diskBytes(disk, ctx);
  const file = await ctx.host.files.open(disk, 'read');
  try {
    const mapped = await mappedBlocks(disk, file, ctx);
    const ranges: Range[] = [];
    for (const [first, last] of mappedRanges(mapped)) {
      ctx.signal.throwIfAborted();
      const hash = createHash('sha256');
      const run = { start: first * blockBytes, end: Math.min(bytes, (last + 1) * blockBytes) };
      for await (const piece of bytesOf(file, run)) hash.update(piece);
      ranges.push({ first, last, sha256: hash.digest('hex') });
    }
    return bmapText(bytes, ranges);
  } finally {
    await file.close();
  }
}

/** One for each block that a card must get. */
async function mappedBlocks(disk: string, file: OpenFile, ctx: Context): Promise<Uint8Array> {
  const mapped = new Uint8Array(Math.ceil((await diskBytes(disk, ctx)) / blockBytes)).fill(1);
  const read = (offset: number, length: number) => file.read(offset, length);
  for (const start of await partitionStarts(read)) {
    for await (const free of freeRanges(read, start)) {
      const last = Math.min(Math.floor(free.end / blockBytes), mapped.length);
      mapped.fill(0, Math.min(Math.ceil(free.start / blockBytes), last), last);
    }
  }
  for await (const { offset, bytes } of dataWindows(disk, ctx, { passing: true })) {
    for (let at = 0; at < bytes.length; at += blockBytes) {
      if (!isZero(bytes.subarray(at, at + blockBytes))) mapped[(offset + at) / blockBytes] = 1;
    }
  }
  return mapped;
}

function* mappedRanges(mapped: Uint8Array): Generator<readonly [first: number, last: number]> {
  for (let first = mapped.indexOf(1); first !== -1; ) {
    let end = ending(mapped, first);
    let next = mapped.indexOf(1, end);
    while (next !== -1 && next - end < gap) {
      end = ending(mapped, next);
      next = mapped.indexOf(1, end);
    }
    yield [first, end - 1];
    first = next;
  }
}

function ending(mapped: Uint8Array, from: number): number {
  const end = mapped.indexOf(0, from);
  return end === -1 ? mapped.length : end;
}

/** Its own checksum is made while that is all zeros. */
function bmapText(bytes: number, ranges: readonly Range[]): string {
  const mapped = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const lines = ranges.map(({ first, last, sha256 }) => {
    const blocks = first === last ? `${first}` : `${first}-${last}`;
    return `        <Range chksum="${sha256}"> ${blocks} </Range>`;
  });
  const text = (own: string) => `<?xml version="1.0" ?>
<bmap version="2.0">
    <ImageSize> ${bytes} </ImageSize>
    <BlockSize> ${blockBytes} </BlockSize>
    <BlocksCount> ${Math.ceil(bytes / blockBytes)} </BlocksCount>
    <MappedBlocksCount> ${mapped} </MappedBlocksCount>
    <ChecksumType> sha256 </ChecksumType>
    <BmapFileChecksum> ${own} </BmapFileChecksum>
    <BlockMap>
${lines.join('\n')}
    </BlockMap>
</bmap>
`;
  return text(
    createHash('sha256')
      .update(text('0'.repeat(64)))
      .digest('hex'),
  );
}
