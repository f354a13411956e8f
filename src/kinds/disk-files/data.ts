import type { Context } from '../../core/context.ts';
import type { OpenFile } from '../../core/host.ts';
import { eachDataExtent } from '../../qemu/img.ts';

/** Bytes of a disk, from a multiple of `windowBytes`; only the last window of a disk is shorter. */
export type Window = { readonly offset: number; readonly bytes: Buffer };

export const windowBytes = 1024 * 1024;
const zeros = Buffer.alloc(windowBytes);

/** Whether a piece of a window holds nothing. */
export function isZero(bytes: Buffer): boolean {
  return bytes.equals(zeros.subarray(0, bytes.length));
}

/** `passing`: who reads windows keeps none, so that they can share their memory; for large disks that halves the time. */
type Reading = {
  readonly passing?: boolean;
  /** How many bytes of each window are read, from its first; default all. */
  readonly bytes?: number;
};

/** The windows of a raw disk that may hold something, in order; the next one is read while one is looked at. */
export async function* dataWindows(disk: string, ctx: Context, reading: Reading = {}): AsyncGenerator<Window> {
  const { passing = false, bytes: length = windowBytes } = reading;
  const ranges = await dataRanges(disk, ctx);
  const file = await ctx.host.files.open(disk, 'read');
  const spaces = passing ? [Buffer.allocUnsafe(length), Buffer.allocUnsafe(length)] : [];
  const read = async (offset: number): Promise<Window> => {
    const space = spaces.shift();
    if (space !== undefined) spaces.push(space);
    return { offset, bytes: await file.read(offset, length, space) };
  };
  let next: Promise<Window> | undefined;
  try {
    for (const offset of offsetsIn(ranges)) {
      ctx.signal.throwIfAborted();
      const ready = next;
      next = read(offset);
      next.catch(() => undefined);
      if (ready !== undefined) yield await ready;
    }
    if (next !== undefined) yield await next;
  } finally {
    await next?.catch(() => undefined);
    await file.close();
  }
}

/** Neighbouring windows as one: from the first to before the last. */
type Range = { readonly from: number; to: number };

async function dataRanges(disk: string, ctx: Context): Promise<readonly Range[]> {
  const ranges: Range[] = [];
  const onExtent = ({ start, end }: { readonly start: number; readonly end: number }) => {
    const from = Math.floor(start / windowBytes);
    const to = Math.ceil(end / windowBytes);
    const last = ranges.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else ranges.push({ from, to });
  };
  await eachDataExtent({ path: disk, format: 'raw' }, onExtent, ctx);
  return ranges;
}

function* offsetsIn(ranges: readonly Range[]): Generator<number> {
  for (const { from, to } of ranges) for (let i = from; i < to; i += 1) yield i * windowBytes;
}

/** The length of a disk in bytes. */
export async function diskBytes(disk: string, { host }: Context): Promise<number> {
  const found = await host.files.stat(disk);
  if (found === undefined) throw new Error(`there is no disk ${disk}`);
  return found.size;
}

/** Bytes of a disk from `start` to before `end`. */
export type Run = { readonly start: number; readonly end: number };

const blockBytes = 4096;

/**
 * Where a raw disk is not zero, in whole blocks of 4 KiB; runs with less than `gap` bytes between them are one. Says what
 * the bytes are and not where the file has holes.
 */
export async function dataRuns(disk: string, gap: number, ctx: Context): Promise<readonly Run[]> {
  const runs: { readonly start: number; end: number }[] = [];
  for await (const { offset, bytes } of dataWindows(disk, ctx, { passing: true })) {
    for (let at = 0; at < bytes.length; at += blockBytes) {
      const block = bytes.subarray(at, at + blockBytes);
      if (isZero(block)) continue;
      const last = runs.at(-1);
      const start = offset + at;
      if (last !== undefined && start - last.end < gap) last.end = start + block.length;
      else runs.push({ start, end: start + block.length });
    }
  }
  return runs;
}

/** The bytes of a file from `start` to before `end`, in pieces; a file that is shorter is a failure. */
export async function* bytesOf(file: OpenFile, { start, end }: Run): AsyncGenerator<Buffer> {
  for (let at = start; at < end; ) {
    const piece = await file.read(at, Math.min(windowBytes, end - at));
    if (piece.length === 0) throw new Error(`a file ended at byte ${at}, before byte ${end}`);
    yield piece;
    at += piece.length;
  }
}
