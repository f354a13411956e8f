import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Context } from '../../core/context.ts';
import { dataWindows, diskBytes, isZero } from './data.ts';

const seenBytes = 65_536;

/**
 * What tells one raw disk from others, in hexadecimal digits: the same for the same bytes, however sparse their file is.
 * For the ids that containers want, which no one trusts: it is made of checksums of the first 64 KiB of each MiB, where
 * partition tables and superblocks are, since to read a whole disk would take as long as to convert it.
 */
export async function diskIdentity(disk: string, ctx: Context): Promise<string> {
  const hash = createHash('sha256').update(`${await diskBytes(disk, ctx)}\n`);
  for await (const { offset, bytes } of dataWindows(disk, ctx, { passing: true, bytes: seenBytes })) {
    if (!isZero(bytes)) hash.update(`${offset} ${crc32(bytes)}\n`);
  }
  return hash.digest('hex');
}
