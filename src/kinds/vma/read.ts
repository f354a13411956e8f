import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { OpenFile } from '../../core/host.ts';
import { isZero, windowBytes } from '../disk-files/data.ts';
import {
  type BlockInfo,
  blockBytes,
  blocksIn,
  clusterBytes,
  extentHeaderBytes,
  headerBytes,
  type ReadHeader,
  readExtentHeader,
  readHeader,
  VmaError,
} from './layout.ts';

/** A stored block of a device: its place on the disk and its bytes, cut at the end of the disk. */
type Stored = { readonly device: number; readonly offset: number; readonly bytes: Buffer };

/**
 * Walk an archive (not compressed) from its first byte to exactly its last one: every extent whole, every cluster of every
 * device once. Fails with VmaError where that does not hold, and with what `onBlock` fails with.
 */
export async function walkVma(file: OpenFile, onBlock: (block: Stored) => Promise<void>): Promise<ReadHeader> {
  const header = readHeader(await file.read(0, headerBytes(await file.read(0, 12_288))));
  const seen = header.devices.map(({ size }) => new Uint8Array(Math.ceil(size / clusterBytes)));
  let offset = header.bytes;
  for (;;) {
    const head = await file.read(offset, extentHeaderBytes);
    if (head.length === 0) break;
    const infos = readExtentHeader(head, header.uuid, offset);
    const length = infos.reduce((sum, { mask }) => sum + blocksIn(mask), 0) * blockBytes;
    const data = await file.read(offset + extentHeaderBytes, length);
    if (data.length < length) throw new VmaError(`the extent at byte ${offset} is cut off`);
    for (const info of infos) note(info, seen);
    for (const block of storedIn(infos, data, header)) await onBlock(block);
    offset += extentHeaderBytes + length;
  }
  for (const [index, clusters] of seen.entries()) {
    const missing = clusters.indexOf(0);
    if (missing !== -1) throw new VmaError(`cluster ${missing} of ${header.devices[index]?.name} is missing`);
  }
  return header;
}

function note({ device, cluster }: BlockInfo, seen: readonly Uint8Array[]): void {
  const clusters = seen[device - 1];
  if (clusters === undefined) throw new VmaError(`there is no device ${device}`);
  if (cluster >= clusters.length) throw new VmaError(`cluster ${cluster} lies behind the end of device ${device}`);
  if (clusters[cluster] === 1) throw new VmaError(`cluster ${cluster} of device ${device} is there twice`);
  clusters[cluster] = 1;
}

function* storedIn(infos: readonly BlockInfo[], data: Buffer, header: ReadHeader): Generator<Stored> {
  let at = 0;
  for (const { mask, device, cluster } of infos) {
    const size = header.devices[device - 1]?.size ?? 0;
    for (let bit = 0; bit < 16; bit += 1) {
      if ((mask & (1 << bit)) === 0) continue;
      const offset = cluster * clusterBytes + bit * blockBytes;
      if (offset >= size) throw new VmaError(`a block of cluster ${cluster} lies behind the end of device ${device}`);
      yield { device, offset, bytes: data.subarray(at, at + Math.min(blockBytes, size - offset)) };
      at += blockBytes;
    }
  }
}

/** Write the first disk of an archive to a new sparse file. An archive that is not right is INPUT_REFUSED. */
export async function extractVma(archive: string, output: string, ctx: Context): Promise<ReadHeader> {
  const { files } = ctx.host;
  const [from, to] = [await files.open(archive, 'read'), await files.open(output, 'new')];
  try {
    const header = await walkVma(from, async ({ device, offset, bytes }) => {
      ctx.signal.throwIfAborted();
      if (device === 1) await to.write(offset, bytes);
    });
    await to.truncate(header.devices[0]?.size ?? 0);
    return header;
  } catch (error) {
    throw refusal(archive, error);
  } finally {
    await from.close();
    await to.close();
  }
}

/** That an archive is whole, whatever it holds; where not INPUT_REFUSED says why. */
export async function checkVma(archive: string, ctx: Context): Promise<void> {
  const file = await ctx.host.files.open(archive, 'read');
  try {
    await walkVma(file, async () => ctx.signal.throwIfAborted());
  } catch (error) {
    throw refusal(archive, error);
  } finally {
    await file.close();
  }
}

/**
 * That an archive is whole and its first disk is, byte for byte, this raw one; where not INPUT_REFUSED says why. Blocks
 * that are not stored are zero on the disk.
 */
export async function compareVma(archive: string, disk: string, ctx: Context): Promise<void> {
  const { files } = ctx.host;
  const [from, other] = [await files.open(archive, 'read'), await files.open(disk, 'read')];
  try {
    let next = 0;
    const zeroTo = async (end: number) => {
      while (next < end) {
        const bytes = await other.read(next, Math.min(windowBytes, end - next));
        if (bytes.length === 0 || !isZero(bytes)) throw new VmaError(differs(next));
        next += bytes.length;
      }
    };
    const header = await walkVma(from, async ({ device, offset, bytes }) => {
      ctx.signal.throwIfAborted();
      if (device !== 1) return;
      if (offset < next) throw new VmaError('its clusters are not in order');
      await zeroTo(offset);
      if (!bytes.equals(await other.read(offset, bytes.length))) throw new VmaError(differs(offset));
      next = offset + bytes.length;
    });
    const size = header.devices[0]?.size ?? 0;
    await zeroTo(size);
    if ((await other.read(size, 1)).length > 0) throw new VmaError(`its disk has ${size} bytes, the other one more`);
  } catch (error) {
    throw refusal(archive, error);
  } finally {
    await from.close();
    await other.close();
  }
}

function differs(offset: number): string {
  return `its disk differs from the other one at byte ${offset}`;
}

function refusal(archive: string, error: unknown): unknown {
  if (!(error instanceof VmaError)) return error;
  return new IngotError({
    code: 'INPUT_REFUSED',
    message: `the archive ${archive} is not right: ${error.message}`,
    hint: 'it was damaged on its way or where it was made: write or fetch it again',
    cause: error,
  });
}
