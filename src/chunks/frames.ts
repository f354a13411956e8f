import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';

const compress = promisify(zstdCompress);

/** The level of frames: higher ones gain little on pieces of this size. */
export const usualLevel = 3;

/** Bytes as one zstd frame (RFC 8878) with their length and checksum; the same bytes give the same frame. */
export function frameOf(bytes: Uint8Array, level: number): Promise<Buffer> {
  return compress(bytes, {
    pledgedSrcSize: bytes.length,
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/** Reads bytes of a file; fewer only at its end. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

export type FrameAt = { readonly offset: number; readonly bytes: number };

const magic = 0xfd2fb528;
const skippable = 0x184d2a50;
const mostHeader = 18;
const blockHeader = 3;

/**
 * Where the frames of a zstd file lie, found by their lengths and without unpacking; ends at the first thing that is no
 * frame, or is not whole.
 */
export async function* framesIn(read: ReadAt, size: number): AsyncGenerator<FrameAt> {
  for (let offset = 0; offset < size; ) {
    const end = await frameEnd(read, offset, size);
    if (end === undefined) return;
    yield { offset, bytes: end - offset };
    offset = end;
  }
}

async function frameEnd(read: ReadAt, offset: number, size: number): Promise<number | undefined> {
  const head = await read(offset, mostHeader);
  if (head.length < 8) return undefined;
  if ((head.readUInt32LE(0) & 0xfffffff0) >>> 0 === skippable) {
    const end = offset + 8 + head.readUInt32LE(4);
    return end <= size ? end : undefined;
  }
  if (head.readUInt32LE(0) !== magic) return undefined;
  const { headerBytes, hasChecksum } = frameHeader(head.readUInt8(4));
  for (let at = offset + headerBytes; at < size; ) {
    const block = await read(at, blockHeader);
    if (block.length < blockHeader) return undefined;
    const word = block.readUIntLE(0, blockHeader);
    const isRepeated = ((word >> 1) & 0b11) === 1;
    at += blockHeader + (isRepeated ? 1 : word >> 3);
    if ((word & 1) === 0) continue;
    const end = at + (hasChecksum ? 4 : 0);
    return end <= size ? end : undefined;
  }
  return undefined;
}

/** RFC 8878, 3.1.1.1: how long the header is that begins with this descriptor. */
function frameHeader(descriptor: number): { readonly headerBytes: number; readonly hasChecksum: boolean } {
  const isSingle = (descriptor & 0b10_0000) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 0b11] ?? 0;
  const length = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return { headerBytes: 5 + (isSingle ? 0 : 1) + dictionary + length, hasChecksum: (descriptor & 0b100) !== 0 };
}
