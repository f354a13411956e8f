import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Digest, type DigestAlgorithm, digestParts } from '../core/digests.ts';
import { IngotError } from '../core/errors.ts';
import { withRoom } from '../core/space.ts';
import { SparseFile } from './sparse.ts';

const chunkBytes = 1024 * 1024;

/** The digest of a file's bytes in hexadecimal digits. */
export async function fileDigest(path: string, algorithm: DigestAlgorithm, signal: AbortSignal): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes, signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Give a file its name, and have the name on the disk before it is told. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  const folder = await open(dirname(to), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export type CopyRequest = {
  readonly from: string;
  readonly to: string;
  readonly digest?: Digest;
  readonly maxBytes?: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number | undefined) => void;
};

/** What `fetchFile` does, for a file of this machine. */
export async function copyLocal(request: CopyRequest): Promise<{ readonly bytes: number }> {
  const { from, to } = request;
  const found = await stat(from).catch(() => undefined);
  if (found?.isFile() !== true) throw new IngotError({ code: 'NOT_FOUND', message: `${from} is not a file here` });
  if (found.size > (request.maxBytes ?? Infinity)) {
    const message = `${from} is longer than the ${request.maxBytes} bytes that are allowed`;
    throw new IngotError({ code: 'INPUT_REFUSED', message });
  }
  const part = `${to}.part`;
  await mkdir(dirname(to), { recursive: true });
  await rm(part, { force: true });
  return withRoom(to, found.blocks * 512, async () => {
    const file = await SparseFile.create(part);
    try {
      await copyInto(file, found.size, request);
      const { bytes } = await file.finish();
      await renameDurably(part, to);
      return { bytes };
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  });
}

async function copyInto(file: SparseFile, total: number, request: CopyRequest): Promise<void> {
  const { from, digest, signal, onProgress } = request;
  const { algorithm, hex } = digest === undefined ? unasked : digestParts(digest);
  const hash = createHash(algorithm);
  // What is appended to it meanwhile is not looked at.
  const end = Math.max(0, total - 1);
  for await (const chunk of createReadStream(from, { highWaterMark: chunkBytes, signal, end })) {
    hash.update(chunk as Buffer);
    await file.append(chunk as Buffer);
    onProgress?.(file.bytes, total);
  }
  const received = hash.digest('hex');
  if (hex === undefined || received === hex) return;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `${from} is not the file that was asked for: its ${algorithm.replace('sha', 'SHA-')} differs`,
    hint: 'if the file was meant to change, write the new digest down; if not, do not trust it',
    detail: [`expected ${hex}`, `received ${received}`],
  });
}

const unasked = { algorithm: 'sha256', hex: undefined } as const;
