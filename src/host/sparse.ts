import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const windowBytes = 1024 * 1024;
const blockBytes = 65_536;
const pageBytes = 4096;
const zeros = Buffer.alloc(blockBytes);

/** Neighbouring blocks, by the number of the first one and how many. */
type Range = readonly [first: number, count: number];

/** What a file holds: its length, how much of it is not zero and where that stands, and a digest of all of it. */
export type Content = {
  readonly bytes: number;
  readonly dataBytes: number;
  readonly ranges: readonly Range[];
  readonly digest: string;
};

/** Writes a file from its beginning to its end and leaves holes where it is zero. */
export class SparseFile {
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #window = Buffer.alloc(windowBytes);
  #filled = 0;
  #written = 0;
  #dataBytes = 0;
  readonly #ranges: [number, number][] = [];

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** A new file; fails when the path is taken. */
  static async create(path: string): Promise<SparseFile> {
    return new SparseFile(await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644));
  }

  get bytes(): number {
    return this.#written + this.#filled;
  }

  /** Bytes that take room so far, without the last window. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      const part = chunk.subarray(done, done + windowBytes - this.#filled);
      this.#window.set(part, this.#filled);
      this.#filled += part.length;
      done += part.length;
      if (this.#filled === windowBytes) await this.#flush();
    }
  }

  /** The last bytes, the length, and all of it on the disk. */
  async finish(): Promise<Content> {
    await this.#flush();
    await this.#handle.truncate(this.#written);
    await this.#handle.sync();
    const digest = endOf(this.#hash, this.#written);
    return { bytes: this.#written, dataBytes: this.#dataBytes, ranges: this.#ranges, digest };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    const window = this.#window.subarray(0, this.#filled);
    for (const block of dataBlocks(window)) {
      digestBlock(this.#hash, this.#written + block.offset, block.bytes);
      this.#note((this.#written + block.offset) / blockBytes);
      for (const run of dataRuns(block.bytes)) {
        await writeAll(this.#handle, run.bytes, this.#written + block.offset + run.offset);
        this.#dataBytes += run.bytes.length;
      }
    }
    this.#written += this.#filled;
    this.#filled = 0;
  }

  #note(block: number): void {
    const last = this.#ranges.at(-1);
    if (last !== undefined && last[0] + last[1] === block) last[1] += 1;
    else this.#ranges.push([block, 1]);
  }
}

/** The digest that `SparseFile` gave when it wrote the file, if its bytes are the same still; `ranges`: only these are read. */
export async function contentDigest(path: string, ranges: readonly Range[], signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const handle = await open(path, 'r');
  try {
    const window = Buffer.alloc(windowBytes);
    for (const [first, count] of ranges) {
      const end = (first + count) * blockBytes;
      for (let offset = first * blockBytes; offset < end; ) {
        signal.throwIfAborted();
        const filled = await readFull(handle, window.subarray(0, Math.min(window.length, end - offset)), offset);
        for (const block of dataBlocks(window.subarray(0, filled)))
          digestBlock(hash, offset + block.offset, block.bytes);
        if (filled === 0) break;
        offset += filled;
      }
    }
    return endOf(hash, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}

/** All of a file of so many bytes. */
export function everything(bytes: number): readonly Range[] {
  return [[0, Math.ceil(bytes / blockBytes)]];
}

type Piece = { readonly offset: number; readonly bytes: Buffer };

function* dataBlocks(window: Buffer): Generator<Piece> {
  for (let offset = 0; offset < window.length; offset += blockBytes) {
    const bytes = window.subarray(offset, offset + blockBytes);
    if (!isZero(bytes)) yield { offset, bytes };
  }
}

/** Neighbouring pages that are not zero, as one piece. */
function* dataRuns(block: Buffer): Generator<Piece> {
  let start: number | undefined;
  for (let offset = 0; offset < block.length; offset += pageBytes) {
    if (!isZero(block.subarray(offset, offset + pageBytes))) start ??= offset;
    else if (start !== undefined) {
      yield { offset: start, bytes: block.subarray(start, offset) };
      start = undefined;
    }
  }
  if (start !== undefined) yield { offset: start, bytes: block.subarray(start) };
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(bytes.length === blockBytes ? zeros : zeros.subarray(0, bytes.length));
}

function digestBlock(hash: Hash, offset: number, bytes: Buffer): void {
  hash.update(`${offset}+${bytes.length}:`).update(bytes);
}

function endOf(hash: Hash, bytes: number): string {
  return hash.update(`=${bytes}`).digest('hex');
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

async function readFull(handle: FileHandle, into: Buffer, position: number): Promise<number> {
  for (let done = 0; ; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    done += bytesRead;
    if (bytesRead === 0 || done === into.length) return done;
  }
}
