import { createHash } from 'node:crypto';
import { Cutter, type Piece, usualCut } from '../../chunks/cut.ts';
import { frameOf, usualLevel } from '../../chunks/frames.ts';
import { type Chunk, idOf, indexBytes, indexEnding } from '../../chunks/index-file.ts';
import type { Context } from '../../core/context.ts';
import { dataWindows, diskBytes } from './data.ts';

/**
 * Compress a disk chunk by chunk: a zstd file like any other, of one frame for each chunk, and beside it the index of them
 * (`TO.chunks`), by which somebody with an older disk fetches only what is new.
 */
export async function packChunked(disk: string, to: string, ctx: Context): Promise<void> {
  const file = await ctx.host.files.open(to, 'new');
  const [hash, chunks] = [createHash('sha256'), [] as Chunk[]];
  let bytes = 0;
  try {
    for await (const { chunk, frame } of ahead(pieces(disk, ctx), 4 * ctx.host.cpus, frameMaker())) {
      await file.write(bytes, frame);
      hash.update(frame);
      bytes += frame.length;
      chunks.push(chunk);
    }
  } finally {
    await file.close();
  }
  const about = { bytes, sha256: hash.digest('hex'), contentBytes: await diskBytes(disk, ctx) };
  const index = indexBytes({ ...about, cut: usualCut, level: usualLevel, chunks });
  await ctx.host.files.write(`${to}.${indexEnding}`, index, 0o644);
}

/** The content of a raw disk, cut into chunks; of its holes only the lengths are looked at. */
async function* pieces(disk: string, ctx: Context): AsyncGenerator<Piece> {
  const cutter = new Cutter();
  let reached = 0;
  for await (const { offset, bytes } of dataWindows(disk, ctx)) {
    yield* cutter.skip(offset - reached);
    yield* cutter.add(bytes);
    reached = offset + bytes.length;
  }
  yield* cutter.skip((await diskBytes(disk, ctx)) - reached);
  yield* cutter.end();
}

type Framed = { readonly chunk: Chunk; readonly frame: Buffer };

/** Frames of pieces; those of zeros are made once for each length. */
function frameMaker(): (piece: Piece) => Promise<Framed> {
  const ofZeros = new Map<number, Promise<Framed>>();
  return (piece) => {
    if ('data' in piece) return framed(piece.data);
    const known = ofZeros.get(piece.zeros) ?? framed(Buffer.alloc(piece.zeros));
    ofZeros.set(piece.zeros, known);
    return known;
  };
}

async function framed(content: Buffer): Promise<Framed> {
  const frame = await frameOf(content, usualLevel);
  const ids = { contentId: idOf(content), frameId: idOf(frame) };
  return { chunk: { contentBytes: content.length, frameBytes: frame.length, ...ids }, frame };
}

/** Begin with the next ones while one is waited for, and give the results in order. */
async function* ahead<T, R>(items: AsyncIterable<T>, most: number, act: (item: T) => Promise<R>): AsyncGenerator<R> {
  const under: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const one = act(item);
      one.catch(() => undefined);
      under.push(one);
      const first = under.length >= most ? under.shift() : undefined;
      if (first !== undefined) yield await first;
    }
    for (let first = under.shift(); first !== undefined; first = under.shift()) yield await first;
  } finally {
    await Promise.allSettled(under);
  }
}
