import { Cutter, type Piece } from '../chunks/cut.ts';
import { frameOf, framesIn } from '../chunks/frames.ts';
import { type ChunkIndex, idOf } from '../chunks/index-file.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { OpenFile } from '../core/host.ts';
import type { Assembly } from './assembly.ts';
import { bringRaw } from './convert-input.ts';

/** Take what is missing from a file that is here: a chunked file of another version, or any disk. */
export async function takeFrom(seed: string, assembly: Assembly, index: ChunkIndex, ctx: Context): Promise<void> {
  const { host } = ctx;
  const path = await host.files.realPath(seed).catch(() => seed);
  const size = (await host.files.stat(path))?.size;
  if (size === undefined) throw new IngotError({ code: 'NOT_FOUND', message: `there is no file ${seed}` });
  const file = await host.files.open(path, 'read');
  try {
    if ((await takeFrames({ file, size }, assembly, ctx)) > 1) return;
  } finally {
    await file.close();
  }
  await host.withTemporary(async (scratch) => {
    const raw = await bringRaw(path, scratch, ctx);
    const disk = await host.files.open(raw, 'read');
    try {
      await takeContent({ file: disk, size: (await host.files.stat(raw))?.size ?? 0 }, { assembly, index }, ctx);
    } finally {
      await disk.close();
    }
  });
}

type Opened = { readonly file: OpenFile; readonly size: number };

const windowBytes = 1024 * 1024;

/** Frames as they are; gives how many the file has. */
async function takeFrames({ file, size }: Opened, assembly: Assembly, { signal }: Context): Promise<number> {
  let [count, at] = [0, 0];
  let window: Buffer = Buffer.alloc(0);
  // Frames are looked for in pieces of a few bytes, which are not worth a call each.
  const read = async (offset: number, length: number) => {
    if (offset < at || offset + length > at + window.length) {
      window = await file.read(offset, Math.max(length, windowBytes));
      at = offset;
    }
    return window.subarray(offset - at, offset - at + length);
  };
  for await (const { offset, bytes } of framesIn(read, size)) {
    signal.throwIfAborted();
    count += 1;
    if (assembly.mayWant(bytes)) await assembly.put(Buffer.from(await read(offset, bytes)));
  }
  return count;
}

type Goal = { readonly assembly: Assembly; readonly index: ChunkIndex };

/** Chunks of a disk, made frames again. Whoever packed the file may have had another zstd: then they are no use. */
async function takeContent({ file, size }: Opened, { assembly, index }: Goal, { signal }: Context): Promise<void> {
  const frames = new Map(index.chunks.map(({ contentId, frameId }) => [contentId, frameId]));
  const cutter = new Cutter(index.cut);
  const take = async (content: Buffer) => {
    const id = frames.get(idOf(content));
    if (id !== undefined && assembly.wants(id)) await assembly.put(await frameOf(content, index.level));
  };
  const zerosSeen = new Set<number>();
  const takeAll = async (pieces: Iterable<Piece>) => {
    for (const piece of pieces) {
      if ('data' in piece) await take(piece.data);
      else if (!zerosSeen.has(piece.zeros)) await take(Buffer.alloc(piece.zeros));
      if ('zeros' in piece) zerosSeen.add(piece.zeros);
    }
  };
  for (let at = 0; at < size; at += windowBytes) {
    signal.throwIfAborted();
    await takeAll(cutter.add(await file.read(at, windowBytes)));
  }
  await takeAll(cutter.end());
}
