import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const windowBytes = 1024 * 1024;
const blockBytes = 65_536;
const pageBytes = 4096;
const zeros = Buffer.alloc(blockBytes);

/** What a file holds: its length, how much of it is not zero, and a digest of that and where it stands. */
export type Content = { readonly bytes: number; readonly dataBytes: number; readonly digest: string };

/** Writes a file from its beginning to its end and leaves holes where it is zero. */
export class SparseFile {
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #window = Buffer.alloc(windowBytes);
  #filled = 0;
  #written = 0;
  #dataBytes = 0;

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
    return { bytes: this.#written, dataBytes: this.#dataBytes, digest: endOf(this.#hash, this.#written) };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    const window = this.#window.subarray(0, this.#filled);
    for (const block of dataBlocks(window)) {
      digestBlock(this.#hash, this.#written + block.offset, block.bytes);
      for (const run of dataRuns(block.bytes)) {
        await writeAll(this.#handle, run.bytes, this.#written + block.offset + run.offset);
        this.#dataBytes += run.bytes.length;
      }
    }
    this.#written += this.#filled;
    this.#filled = 0;
  }
}

/** The digest that `SparseFile` gave when it wrote the file, if its bytes are the same still. */
export async function contentDigest(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const handle = await open(path, 'r');
  try {
    const window = Buffer.alloc(windowBytes);
    let bytes = 0;
    for (;;) {
      signal.throwIfAborted();
      const filled = await readFull(handle, window, bytes);
      for (const block of dataBlocks(window.subarray(0, filled))) digestBlock(hash, bytes + block.offset, block.bytes);
      bytes += filled;
      if (filled < window.length) return endOf(hash, bytes);
    }
  } finally {
    await handle.close();
  }
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
