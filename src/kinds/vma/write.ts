import type { Context } from '../../core/context.ts';
import { dataWindows, diskBytes, isZero, windowBytes } from '../disk-files/data.ts';
import { progressOf } from '../disk-files/progress.ts';
import {
  type BlockInfo,
  blockBytes,
  clusterBytes,
  mostClusters,
  type VmaHeader,
  writeExtentHeader,
  writeHeader,
} from './layout.ts';

export type VmaRequest = Pick<VmaHeader, 'uuid' | 'configs'> & {
  /** A raw disk, and what it is called in the archive. */
  readonly disk: string;
  readonly device: string;
};

/** A raw disk as a VMA archive, as it comes: each cluster once, in order; blocks of zeros are not stored. */
export async function* vmaOf({ uuid, configs, disk, device }: VmaRequest, ctx: Context): AsyncGenerator<Uint8Array> {
  const size = await diskBytes(disk, ctx);
  yield writeHeader({ uuid, configs, devices: [{ name: device, size }] });
  let infos: BlockInfo[] = [];
  let blocks: Buffer[] = [];
  for await (const { cluster, bytes } of clusters(disk, size, ctx)) {
    const { mask, stored } = blocksOf(bytes);
    infos.push({ mask, device: 1, cluster });
    blocks.push(...stored);
    if (infos.length < mostClusters) continue;
    yield Buffer.concat([writeExtentHeader(uuid, infos), ...blocks]);
    infos = [];
    blocks = [];
  }
  if (infos.length > 0) yield Buffer.concat([writeExtentHeader(uuid, infos), ...blocks]);
}

type Cluster = { readonly cluster: number; readonly bytes: Buffer };

const perWindow = windowBytes / clusterBytes;
const nothing = Buffer.alloc(0);

/** Every cluster of a disk; one that lies in a hole has no bytes. */
async function* clusters(disk: string, size: number, ctx: Context): AsyncGenerator<Cluster> {
  const count = Math.ceil(size / clusterBytes);
  const tell = progressOf(size, ctx);
  let next = 0;
  for await (const { offset, bytes } of dataWindows(disk, ctx)) {
    const first = (offset / windowBytes) * perWindow;
    for (; next < first; next += 1) yield { cluster: next, bytes: nothing };
    for (let at = 0; at < bytes.length; at += clusterBytes, next += 1) {
      yield { cluster: next, bytes: bytes.subarray(at, at + clusterBytes) };
    }
    tell(offset + bytes.length);
  }
  for (; next < count; next += 1) yield { cluster: next, bytes: nothing };
}

/** Which blocks of a cluster are not zero, and those; the last block of a disk is filled up. */
function blocksOf(bytes: Buffer): { readonly mask: number; readonly stored: readonly Buffer[] } {
  const stored: Buffer[] = [];
  let mask = 0;
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    if (isZero(block)) continue;
    mask |= 1 << (at / blockBytes);
    stored.push(block);
    if (block.length < blockBytes) stored.push(Buffer.alloc(blockBytes - block.length));
  }
  return { mask, stored };
}
