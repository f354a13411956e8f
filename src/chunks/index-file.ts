import { createHash } from 'node:crypto';
import { z } from 'zod';
import { IngotError } from '../core/errors.ts';
import type { Cut } from './cut.ts';

/** One chunk: a piece of the content, and the frame of the file that holds it. */
export type Chunk = {
  readonly contentBytes: number;
  /** Hexadecimal; see `idOf`. */
  readonly contentId: string;
  readonly frameBytes: number;
  readonly frameId: string;
};

/** What lies beside a chunked file: of which frames it is made. */
export type ChunkIndex = {
  /** Of the file. */
  readonly bytes: number;
  readonly sha256: string;
  readonly contentBytes: number;
  readonly cut: Cut;
  /** zstd's. */
  readonly level: number;
  /** In the order of the file, which they fill. */
  readonly chunks: readonly Chunk[];
};

/** What the name of an index ends in, behind the name of its file. */
export const indexEnding = 'chunks';

const idBytes = 16;
const recordBytes = 8 + 2 * idBytes;

/** The name of bytes in an index: the first half of their SHA-256. */
export function idOf(bytes: Uint8Array): string {
  return createHash('sha256')
    .update(bytes)
    .digest('hex')
    .slice(0, 2 * idBytes);
}

const size = z.int().min(0);
const header = z.object({
  kind: z.literal('ingot-chunks'),
  schemaVersion: z.literal(1),
  bytes: size,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  contentBytes: size,
  cut: z.object({ block: size, least: size, usual: size, most: size, zeros: size }),
  level: z.int().min(1).max(22),
  chunks: size,
});

/**
 * An index as it is written: a line of JSON, then for each chunk its length and that of its frame (32 bits, little endian)
 * and both ids.
 */
export function indexBytes({ chunks, ...about }: ChunkIndex): Buffer {
  const head = { kind: 'ingot-chunks', schemaVersion: 1, ...about, chunks: chunks.length };
  const line = Buffer.from(`${JSON.stringify(head)}\n`);
  const records = Buffer.alloc(chunks.length * recordBytes);
  for (const [number, { contentBytes, contentId, frameBytes, frameId }] of chunks.entries()) {
    const at = number * recordBytes;
    records.writeUInt32LE(contentBytes, at);
    records.writeUInt32LE(frameBytes, at + 4);
    records.write(contentId, at + 8, 'hex');
    records.write(frameId, at + 8 + idBytes, 'hex');
  }
  return Buffer.concat([line, records]);
}

/** Read an index that somebody else wrote: all of it fits together, or it is INPUT_REFUSED. */
export function parseIndex(bytes: Buffer, name: string): ChunkIndex {
  const end = bytes.subarray(0, mostHeader).indexOf('\n');
  const head = header.safeParse(end < 0 ? undefined : jsonOf(bytes.subarray(0, end).toString()));
  if (!head.success) throw refused(name, 'it is no list of chunks that this version reads');
  const records = bytes.subarray(end + 1);
  const { chunks: count, ...about } = head.data;
  if (records.length !== count * recordBytes) throw refused(name, 'it is not whole');
  const chunks = Array.from({ length: count }, (_, number) => recordAt(records, number * recordBytes));
  const sum = (of: (chunk: Chunk) => number) => chunks.reduce((all, chunk) => all + of(chunk), 0);
  const fits = sum((one) => one.frameBytes) === about.bytes && sum((one) => one.contentBytes) === about.contentBytes;
  if (!fits) throw refused(name, 'its chunks do not make the file that it tells of');
  const most = Math.max(about.cut.most, about.cut.zeros);
  if (most > mostChunk || chunks.some((one) => one.contentBytes > most || one.frameBytes > most + slack)) {
    throw refused(name, 'it has chunks that are too large');
  }
  const { kind: _, schemaVersion: __, ...known } = about;
  return { ...known, chunks };
}

const mostHeader = 4096;
const mostChunk = 64 * 1024 * 1024;
/** What zstd adds to bytes that it cannot make less, at most. */
const slack = 4096;

function recordAt(records: Buffer, at: number): Chunk {
  return {
    contentBytes: records.readUInt32LE(at),
    frameBytes: records.readUInt32LE(at + 4),
    contentId: records.toString('hex', at + 8, at + 8 + idBytes),
    frameId: records.toString('hex', at + 8 + idBytes, at + recordBytes),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused(name: string, why: string): IngotError {
  const hint = 'fetch the whole file by other means, or have it published again';
  return new IngotError({ code: 'INPUT_REFUSED', message: `${name}: ${why}`, hint });
}
