import type { Files } from '../core/host.ts';
import { type Ext4, openExt4, type Read } from './ext4.ts';
import { partitionStarts } from './partitions.ts';

const chunkBytes = 64 * 1024;
const mostChunks = 512;

/**
 * The root file system of a raw disk, read without booting or mounting it: the first partition (GPT or MBR) that holds an
 * os-release(5). Undefined where it is not an ext4 that can be read as it is.
 */
export async function openRoot(raw: string, files: Pick<Files, 'read'>): Promise<Ext4 | undefined> {
  const read = inChunks(raw, files);
  for (const start of await partitionStarts(read)) {
    const volume = await openExt4(read, start);
    if ((await osReleaseOf(volume)) !== undefined) return volume;
  }
  return undefined;
}

/** The text of os-release(5), which is a link in most systems. */
export async function osReleaseOf(volume: Ext4 | undefined): Promise<string | undefined> {
  const bytes = (await volume?.read('/etc/os-release')) ?? (await volume?.read('/usr/lib/os-release'));
  return bytes?.toString('utf8');
}

/** Metadata lies close together: a chunk that was read is kept, until there are too many of them. */
function inChunks(raw: string, files: Pick<Files, 'read'>): Read {
  const kept = new Map<number, Buffer>();
  const chunk = async (number: number) => {
    const known = kept.get(number);
    if (known !== undefined) return known;
    const bytes = await files.read(raw, { offset: number * chunkBytes, length: chunkBytes });
    kept.set(number, bytes);
    if (kept.size > mostChunks) kept.delete(kept.keys().next().value ?? number);
    return bytes;
  };
  return async (offset, length) => {
    const first = Math.floor(offset / chunkBytes);
    const last = Math.floor((offset + length - 1) / chunkBytes);
    const at = offset - first * chunkBytes;
    if (first === last) return (await chunk(first)).subarray(at, at + length);
    if (length > chunkBytes) return files.read(raw, { offset, length });
    return Buffer.concat([await chunk(first), await chunk(last)]).subarray(at, at + length);
  };
}
