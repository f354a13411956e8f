import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { IngotError } from '../core/errors.ts';
import type { Command } from '../core/host.ts';
import { bound, commonOptions } from './process.ts';
import { type Content, SparseFile } from './sparse.ts';

export const compressions = ['xz', 'zst', 'gz', 'bz2'] as const;
export type Compression = (typeof compressions)[number];

const magics: Readonly<Record<Compression, string>> = {
  xz: 'fd377a585a00',
  zst: '28b52ffd',
  gz: '1f8b08',
  bz2: '425a68',
};

/** How a file is compressed, told by its first bytes; undefined when it is not. */
export async function compressionOf(path: string): Promise<Compression | undefined> {
  const handle = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(6), 0, 6, 0);
    const head = buffer.toString('hex', 0, bytesRead);
    return compressions.find((one) => head.startsWith(magics[one]));
  } finally {
    await handle.close();
  }
}

/** Where unpacking stops: a small file can stand for one that fills the disk, or keeps a processor busy for days. */
export type UnpackLimits = {
  /** Of the unpacked file. */
  readonly bytes: number;
  /** Of those that are not zero and so take room. */
  readonly dataBytes: number;
};

const gibibyte = 1024 ** 3;

/** What an honest disk image of this compressed size stays far below. */
export function limitsFor(packedBytes: number): UnpackLimits {
  return { bytes: Math.max(4 * gibibyte, packedBytes * 10_000), dataBytes: Math.max(gibibyte, packedBytes * 250) };
}

export type UnpackRequest = {
  readonly from: string;
  /** A path that is not taken; holes where the file is zero. */
  readonly to: string;
  readonly compression: Compression;
  readonly limits: UnpackLimits;
  /** What to call the file in errors. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Compressed bytes so far. */
  readonly onProgress?: (done: number) => void;
};

/** Unpack one compressed file, whole or not at all. A damaged one, and one beyond the limits, is INPUT_REFUSED. */
export async function unpackFile(request: UnpackRequest): Promise<Content> {
  const { from, to, signal, onProgress } = request;
  const file = await SparseFile.create(to);
  try {
    const packed = async function* () {
      let done = 0;
      for await (const chunk of createReadStream(from, { highWaterMark: 256 * 1024 })) {
        done += (chunk as Buffer).length;
        onProgress?.(done);
        yield chunk as Buffer;
      }
    };
    const sink = async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        await file.append(chunk);
        refuseBomb(file, request);
      }
    };
    await pipeline(packed, await unpacker(request.compression, signal), sink, { signal });
    return await file.finish();
  } catch (error) {
    await rm(to, { force: true });
    signal.throwIfAborted();
    throw damaged(request, error) ?? error;
  } finally {
    await file.close();
  }
}

const programs = {
  xz: ['xz', '--decompress', '--stdout', '--threads=1', '--memlimit-decompress=1GiB'],
  bz2: ['bzip2', '--decompress', '--stdout'],
} as const;

async function unpacker(compression: Compression, signal: AbortSignal): Promise<Duplex> {
  if (compression === 'gz') return createGunzip();
  if (compression === 'zst') return createZstdDecompress();
  const command: Command = { argv: programs[compression] };
  const [file, ...args] = await bound(command);
  const { execa } = await import('execa');
  const options = { ...commonOptions(command), reject: true, cancelSignal: signal } as const;
  return execa(file, args, { ...options, stdin: 'pipe', buffer: { stdout: false, stderr: true } }).duplex();
}

function refuseBomb(file: SparseFile, { limits, name }: UnpackRequest): void {
  if (file.bytes <= limits.bytes && file.dataBytes <= limits.dataBytes) return;
  const most = file.bytes > limits.bytes ? limits.bytes : limits.dataBytes;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `${name} unpacks to far more than a disk image of its size does: stopped after ${most} bytes`,
    hint: 'do not trust who made it; where it is right, unpack it yourself and name the unpacked file',
  });
}

/** What the unpacker says of its input; undefined for any other error. */
function damaged({ name, compression }: UnpackRequest, error: unknown): IngotError | undefined {
  if (!(error instanceof Error) || error instanceof IngotError) return undefined;
  const words = saidOf(error);
  if (words === undefined) return undefined;
  return new IngotError({
    code: 'INPUT_REFUSED',
    message: `${name} is damaged: it cannot be unpacked to its end`,
    hint: 'it has the digest it should have, so it was damaged where it was made: ask there, or use another version',
    detail: [`${compression}: ${words}`],
    cause: error,
  });
}

/** zlib's own words (codes Z_* and ZSTD_*), or the program's last line. */
function saidOf(error: Error): string | undefined {
  if ('code' in error && /^(Z_|ZSTD_)/.test(String(error.code))) return error.message;
  if (!('stderr' in error) || !('exitCode' in error) || error.exitCode === undefined) return undefined;
  return String(error.stderr).trim().split('\n').at(-1) ?? '';
}
