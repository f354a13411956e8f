import { createHash, type Hash } from 'node:crypto';
import type { Context } from '../core/context.ts';
import { sync } from '../store/durable.ts';

const pieceBytes = 1024 * 1024;
/** What a writer of ISOs comes back to: the descriptors of the volume lie in it (ECMA-119 6.2.1, 8.1). */
const headBytes = 64 * 1024;
const pauseMs = 15;
// Each is a commit of the file system too.
const flushPauseMs = 100;

/**
 * The SHA-256 of a file that a program is writing from its beginning to its end: it is read while it grows, and its bytes
 * go to the disk meanwhile. `write` is given an empty file. Where the head was changed afterwards, the file is read again.
 */
export async function digestWhileWritten(path: string, write: () => Promise<unknown>, ctx: Context): Promise<string> {
  await ctx.host.files.write(path, '');
  let isWritten = false;
  const writing = write().finally(() => {
    isWritten = true;
  });
  const follow = () => followFile(path, () => isWritten, ctx);
  const flush = async () => {
    for (; !isWritten; await ctx.host.sleep(flushPauseMs, ctx.signal)) await sync(path);
  };
  const [written, digest, flushed] = await Promise.allSettled([writing, follow(), flush()]);
  for (const one of [written, digest, flushed]) if (one.status === 'rejected') throw one.reason;
  if (digest.status === 'rejected') throw digest.reason;
  const { head, sha256 } = digest.value;
  const now = await ctx.host.files.read(path, { length: head.length });
  return head.equals(now) ? sha256 : ctx.host.files.sha256(path, ctx.signal);
}

async function followFile(
  path: string,
  isWritten: () => boolean,
  { host, signal }: Context,
): Promise<{ readonly head: Buffer; readonly sha256: string }> {
  const hash: Hash = createHash('sha256');
  const space = Buffer.allocUnsafeSlow(pieceBytes);
  let head = Buffer.alloc(0);
  const file = await host.files.open(path, 'read');
  try {
    for (let at = 0; ; ) {
      signal.throwIfAborted();
      // Asked before reading: what was written until then is read.
      const isLast = isWritten();
      const piece = await file.read(at, pieceBytes, space);
      hash.update(piece);
      if (head.length < headBytes) head = Buffer.concat([head, piece.subarray(0, headBytes - head.length)]);
      at += piece.length;
      if (piece.length === pieceBytes) continue;
      if (!isLast) await host.sleep(pauseMs, signal);
      else if (piece.length === 0) return { head, sha256: hash.digest('hex') };
    }
  } finally {
    await file.close();
  }
}
