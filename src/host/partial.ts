import { createHash, type Hash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DigestAlgorithm } from '../core/digests.ts';
import { NoSpaceError } from '../core/space.ts';
import { renameDurably } from './local-file.ts';

/** What a partial file is a part of. */
export type Origin = {
  readonly url: string;
  readonly validator: string | undefined;
  readonly total: number | undefined;
};

/**
 * A file on its way: `PATH.part`, its digest so far, and beside it what it is a part of, so that a later process can
 * go on with it.
 */
export class PartialFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #algorithm: DigestAlgorithm;
  #hash: Hash;
  #size = 0;
  #origin: Origin | undefined;
  /** Whether any of it came from an earlier connection. */
  resumed = false;

  private constructor(path: string, handle: FileHandle, algorithm: DigestAlgorithm) {
    this.#path = path;
    this.#handle = handle;
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  /** Take up what an earlier process left of the same address, or begin. */
  static async open(path: string, url: string, algorithm: DigestAlgorithm): Promise<PartialFile> {
    await mkdir(dirname(path), { recursive: true });
    const origin = await readOrigin(path);
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o644);
    const partial = new PartialFile(path, handle, algorithm);
    if (origin?.url === url) await partial.#takeUp(origin);
    else await partial.restart();
    return partial;
  }

  get size(): number {
    return this.#size;
  }

  get origin(): Origin | undefined {
    return this.#origin;
  }

  get complete(): boolean {
    return this.#origin?.total === this.#size;
  }

  /** Of the bytes so far. */
  get hex(): string {
    return this.#hash.copy().digest('hex');
  }

  async #takeUp(origin: Origin): Promise<void> {
    for await (const chunk of createReadStream(this.#path, { highWaterMark: 1024 * 1024 })) {
      this.#hash.update(chunk as Buffer);
      this.#size += (chunk as Buffer).length;
    }
    this.#origin = origin;
    this.resumed = this.#size > 0;
  }

  /** Begin again from nothing; the record goes first, so that it never speaks of other bytes. */
  async restart(origin?: Origin): Promise<void> {
    await rm(`${this.#path}.json`, { force: true });
    await this.#handle.truncate(0);
    this.#hash = createHash(this.#algorithm);
    this.#size = 0;
    this.#origin = origin;
    this.resumed = false;
    if (origin?.validator !== undefined)
      await this.#onDisk(() => writeFile(`${this.#path}.json`, JSON.stringify(origin)));
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#onDisk(async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#size + done);
        done += bytesWritten;
      }
    });
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }

  /** Fails before the first byte when it is known not to fit. */
  async requireSpace(): Promise<void> {
    const missing = (this.#origin?.total ?? 0) - this.#size;
    const { bavail, bsize } = await statfs(dirname(this.#path));
    if (missing > bavail * bsize) throw this.#noSpace();
  }

  async #onDisk(write: () => Promise<void>): Promise<void> {
    await write().catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOSPC' || error.code === 'EDQUOT' ? this.#noSpace(error) : error;
    });
  }

  #noSpace(cause?: unknown): NoSpaceError {
    const { total } = this.#origin ?? {};
    // A server that does not say how much is still to come will send a byte at least.
    return new NoSpaceError(this.#path, total === undefined ? 1 : total - this.#size, { cause });
  }

  /** Give it its name: on the disk first, visible then, its name on the disk before it is told. */
  async commit(to: string): Promise<void> {
    await this.#onDisk(() => this.#handle.sync());
    await renameDurably(this.#path, to);
    await rm(`${this.#path}.json`, { force: true });
  }

  async discard(): Promise<void> {
    await rm(`${this.#path}.json`, { force: true });
    await rm(this.#path, { force: true });
  }

  /** Let go of the file; without a way to go on with it, it is removed. */
  async close(): Promise<void> {
    await this.#handle.close();
    if (this.#origin?.validator === undefined) await this.discard();
  }
}

async function readOrigin(path: string): Promise<Origin | undefined> {
  try {
    return JSON.parse(await readFile(`${path}.json`, 'utf8')) as Origin;
  } catch {
    return undefined;
  }
}
