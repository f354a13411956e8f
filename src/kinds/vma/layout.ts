import { createHash } from 'node:crypto';

/**
 * The container of Proxmox VE's backups (vma_spec.txt of pve-qemu, and its reader in vma-reader.c). Numbers are big endian
 * but the lengths of blobs, which are little endian (the specification does not say so).
 */
export const clusterBytes = 65_536;
export const blockBytes = 4096;
export const extentHeaderBytes = 512;
export const mostClusters = 59;
const fixedBytes = 12_288;
const table = { names: 2044, data: 3068, devices: 4096 } as const;
const checksumAt = { header: 32, extent: 24 } as const;

export type VmaDevice = { readonly name: string; readonly size: number };

export type VmaHeader = {
  /** Sixteen bytes. */
  readonly uuid: Buffer;
  readonly configs: readonly { readonly name: string; readonly data: Buffer }[];
  /** The first one has number 1. */
  readonly devices: readonly VmaDevice[];
};

/** All that stands before the first extent. The time of the backup is 0, so that one disk gives one archive. */
export function writeHeader({ uuid, configs, devices }: VmaHeader): Buffer {
  // The first byte is unused: the offset 0 means none.
  const blobs = new Blobs();
  const fixed = Buffer.alloc(fixedBytes);
  for (const [index, { name, data }] of configs.entries()) {
    fixed.writeUInt32BE(blobs.add(Buffer.from(`${name}\0`)), table.names + index * 4);
    fixed.writeUInt32BE(blobs.add(data), table.data + index * 4);
  }
  for (const [index, { name, size }] of devices.entries()) {
    const at = table.devices + (index + 1) * 32;
    fixed.writeUInt32BE(blobs.add(Buffer.from(`${name}\0`)), at);
    fixed.writeBigUInt64BE(BigInt(size), at + 8);
  }
  const buffer = blobs.bytes();
  const header = Buffer.concat([fixed, buffer, Buffer.alloc((512 - (buffer.length % 512)) % 512)]);
  header.write('VMA\0', 0, 'latin1');
  header.writeUInt32BE(1, 4);
  uuid.copy(header, 8);
  header.writeUInt32BE(fixedBytes, 48);
  header.writeUInt32BE(buffer.length, 52);
  header.writeUInt32BE(header.length, 56);
  return sign(header, checksumAt.header);
}

class Blobs {
  readonly #parts: Buffer[] = [Buffer.alloc(1)];
  #length = 1;

  add(data: Buffer): number {
    const at = this.#length;
    const length = Buffer.alloc(2);
    length.writeUInt16LE(data.length);
    this.#parts.push(length, data);
    this.#length += 2 + data.length;
    return at;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A cluster of a device: which of its sixteen blocks are stored. */
export type BlockInfo = { readonly mask: number; readonly device: number; readonly cluster: number };

export function writeExtentHeader(uuid: Buffer, infos: readonly BlockInfo[]): Buffer {
  const header = Buffer.alloc(extentHeaderBytes);
  header.write('VMAE', 0, 'latin1');
  header.writeUInt16BE(
    infos.reduce((sum, { mask }) => sum + blocksIn(mask), 0),
    6,
  );
  uuid.copy(header, 8);
  for (const [index, { mask, device, cluster }] of infos.entries()) {
    const at = 40 + index * 8;
    header.writeUInt16BE(mask, at);
    header.writeUInt8(device, at + 3);
    header.writeUInt32BE(cluster, at + 4);
  }
  return sign(header, checksumAt.extent);
}

/** How many bits are set. */
export function blocksIn(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

function sign(bytes: Buffer, at: number): Buffer {
  checksumOf(bytes, at).copy(bytes, at);
  return bytes;
}

/** MD5 of all of it with the checksum itself zeroed. */
function checksumOf(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0, at, at + 16);
  return createHash('md5').update(copy).digest();
}

/** What is wrong with an archive, in plain words. */
export class VmaError extends Error {}

export type ReadHeader = VmaHeader & { readonly bytes: number };

/** The fixed part says how long all of it is. */
export function headerBytes(fixed: Buffer): number {
  if (fixed.length < fixedBytes || fixed.toString('latin1', 0, 4) !== 'VMA\0')
    throw new VmaError('it is no VMA archive');
  if (fixed.readUInt32BE(4) !== 1) throw new VmaError(`it has version ${fixed.readUInt32BE(4)}, only 1 is known`);
  const bytes = fixed.readUInt32BE(56);
  if (bytes <= fixedBytes || bytes > 524_288) throw new VmaError(`its header would have ${bytes} bytes`);
  return bytes;
}

export function readHeader(header: Buffer): ReadHeader {
  if (header.length < headerBytes(header)) throw new VmaError('it ends within its header');
  if (!checksumOf(header, checksumAt.header).equals(header.subarray(32, 48)))
    throw new VmaError('the checksum of its header is wrong');
  const start = header.readUInt32BE(48);
  const length = header.readUInt32BE(52);
  if (start < fixedBytes || start + length > header.length) throw new VmaError('its names lie outside of its header');
  const blobs = header.subarray(start, start + length);
  const pointers = Array.from({ length: 256 }, (_, i) => i * 4);
  const configs = pointers.flatMap((at) => {
    const name = header.readUInt32BE(table.names + at);
    return name === 0 ? [] : [{ name: text(blobs, name), data: blob(blobs, header.readUInt32BE(table.data + at)) }];
  });
  const devices: VmaDevice[] = [];
  for (let number = 1; number < 255; number += 1) {
    const at = table.devices + number * 32;
    const name = header.readUInt32BE(at);
    if (name === 0) continue;
    if (number !== devices.length + 1) throw new VmaError(`device ${number} follows a gap`);
    devices.push({ name: text(blobs, name), size: Number(header.readBigUInt64BE(at + 8)) });
  }
  if (devices.length === 0) throw new VmaError('it holds no disk');
  return { uuid: header.subarray(8, 24), configs, devices, bytes: header.length };
}

function blob(blobs: Buffer, at: number): Buffer {
  const length = at + 2 <= blobs.length ? blobs.readUInt16LE(at) : -1;
  if (at === 0 || length < 0 || at + 2 + length > blobs.length) throw new VmaError('a name lies outside of its header');
  return blobs.subarray(at + 2, at + 2 + length);
}

function text(blobs: Buffer, at: number): string {
  const bytes = blob(blobs, at);
  if (bytes.at(-1) !== 0) throw new VmaError('a name has no end');
  return bytes.toString('utf8', 0, bytes.length - 1);
}

/** The clusters of an extent, as its header says; `offset`: for errors. */
export function readExtentHeader(header: Buffer, uuid: Buffer, offset: number): readonly BlockInfo[] {
  const wrong = (what: string) => new VmaError(`the extent at byte ${offset} ${what}`);
  if (header.length < extentHeaderBytes) throw wrong(`is cut off: it has ${header.length} bytes`);
  if (header.toString('latin1', 0, 4) !== 'VMAE') throw wrong('does not begin as one');
  if (!checksumOf(header, checksumAt.extent).equals(header.subarray(24, 40))) throw wrong('has a wrong checksum');
  if (!header.subarray(8, 24).equals(uuid)) throw wrong('is of another archive');
  const infos = Array.from({ length: mostClusters }, (_, i) => {
    const at = 40 + i * 8;
    const [mask, device] = [header.readUInt16BE(at), header.readUInt8(at + 3)];
    return { mask, device, cluster: header.readUInt32BE(at + 4) };
  }).filter(({ device }) => device !== 0);
  const blocks = infos.reduce((sum, { mask }) => sum + blocksIn(mask), 0);
  if (blocks !== header.readUInt16BE(6)) throw wrong(`tells of ${header.readUInt16BE(6)} blocks and lists ${blocks}`);
  return infos;
}
