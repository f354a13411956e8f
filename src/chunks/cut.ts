import { crc32 } from 'node:zlib';

/** How content is cut; part of an index, since only what is cut alike has chunks in common. In bytes. */
export type Cut = {
  /** Cuts lie at multiples of this: file systems move whole blocks. */
  readonly block: number;
  readonly least: number;
  /** Cuts are rare before this length and frequent after it. */
  readonly usual: number;
  readonly most: number;
  /** Neighbouring zeros are one chunk, at most so long. */
  readonly zeros: number;
};

/** Data of a chunk, or how many zeros it is. */
export type Piece = { readonly data: Buffer } | { readonly zeros: number };

const kib = 1024;

export const usualCut: Cut = {
  block: 4 * kib,
  least: 4 * kib,
  usual: 16 * kib,
  most: 128 * kib,
  zeros: 16 * 1024 * kib,
};

/** What is zero is looked for in pieces of this size: a hole of a file may be reported or not, and gives the same cuts. */
const stride = 64 * kib;
const empty = Buffer.alloc(stride);

/**
 * Cuts content into chunks where the content itself says so, by the checksum of a block: what is inserted or moved changes
 * the chunks around it, and those behind it are cut as before. The idea of FastCDC (two masks around the usual
 * length), on blocks in the place of bytes; and rather where a file ends, since files are what changes.
 */
export class Cutter {
  readonly #cut: Cut;
  #blocks: Buffer[] = [];
  #length = 0;
  #zeros = 0;

  constructor(cut: Cut = usualCut) {
    this.#cut = cut;
  }

  /** The next bytes: a multiple of 64 KiB, but for the last ones. They must stay as they are until their piece was given. */
  *add(bytes: Buffer): Generator<Piece> {
    for (let at = 0; at < bytes.length; at += stride) {
      const part = bytes.subarray(at, at + stride);
      if (part.equals(empty.subarray(0, part.length))) yield* this.skip(part.length);
      else yield* this.#addData(part);
    }
  }

  /** The next bytes are so many zeros. */
  *skip(length: number): Generator<Piece> {
    if (length === 0) return;
    yield* this.#endData();
    this.#zeros += length;
    while (this.#zeros >= this.#cut.zeros) {
      this.#zeros -= this.#cut.zeros;
      yield { zeros: this.#cut.zeros };
    }
  }

  /** What is left. */
  *end(): Generator<Piece> {
    yield* this.#endData();
    yield* this.#endZeros();
  }

  *#addData(bytes: Buffer): Generator<Piece> {
    yield* this.#endZeros();
    const { block, least, most } = this.#cut;
    for (let at = 0; at < bytes.length; at += block) {
      const one = bytes.subarray(at, at + block);
      if (this.#length >= least && this.#isCut(one)) yield* this.#endData();
      this.#blocks.push(one);
      this.#length += one.length;
      if (this.#length >= most) yield* this.#endData();
    }
  }

  /** Whether a chunk begins with this block. The last block of a file is filled up with zeros. */
  #isCut(block: Buffer): boolean {
    const before = this.#blocks.at(-1);
    const isFileEnd = before !== undefined && before.readUInt32LE(before.length - 4) === 0;
    const isEarly = this.#length < this.#cut.usual;
    return (crc32(block) & masks[isFileEnd ? 'fileEnd' : 'within'][isEarly ? 'early' : 'late']) === 0;
  }

  *#endData(): Generator<Piece> {
    if (this.#length === 0) return;
    const data = Buffer.concat(this.#blocks, this.#length);
    this.#blocks = [];
    this.#length = 0;
    yield { data };
  }

  *#endZeros(): Generator<Piece> {
    if (this.#zeros > 0) yield { zeros: this.#zeros };
    this.#zeros = 0;
  }
}

/** One of so many checksums cuts. */
const masks = {
  fileEnd: { early: 4 - 1, late: 2 - 1 },
  within: { early: 32 - 1, late: 8 - 1 },
} as const;
