import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Context } from '../../core/context.ts';
import { dataWindows, diskBytes, isZero } from './data.ts';

const blockBytes = 65_536;
const seenBytes = 16_384;

/**
 * What tells one raw disk from others, in hexadecimal digits: the same for the same bytes, however sparse their file is.
 * For the ids that containers want, which no one trusts: it is made of checksums of the first quarter of each block, where
 * partition tables and superblocks are, since a digest of a whole disk would take longer than to convert it.
 */
export async function diskIdentity(disk: string, ctx: Context): Promise<string> {
  const hash = createHash('sha256').update(`${await diskBytes(disk, ctx)}\n`);
  for await (const { offset, bytes } of dataWindows(disk, ctx, true)) {
    for (let at = 0; at < bytes.length; at += blockBytes) {
      const block = bytes.subarray(at, Math.min(at + seenBytes, bytes.length));
      if (!isZero(block)) hash.update(`${offset + at} ${crc32(block)}\n`);
    }
  }
  return hash.digest('hex');
}
