import { randomFillSync } from 'node:crypto';

/** Small whole disk images made from their formats' own descriptions, for tests that change them. */

const sector = 512;

/** A qcow2 of six clusters: header, refcount table, refcounts, L1, L2, data. */
export function qcow2Image({ version = 3, size = 1024 ** 3 } = {}): Buffer {
  const cluster = 4096;
  const image = Buffer.alloc(6 * cluster);
  const at = (number: number) => BigInt(number * cluster);
  image.write('QFI\xfb', 'latin1');
  image.writeUInt32BE(version, 4);
  image.writeUInt32BE(12, 20);
  image.writeBigUInt64BE(BigInt(size), 24);
  image.writeUInt32BE(Math.ceil(size / cluster / 512), 36);
  image.writeBigUInt64BE(at(3), 40);
  image.writeBigUInt64BE(at(1), 48);
  image.writeUInt32BE(1, 56);
  if (version === 3) {
    image.writeUInt32BE(4, 96);
    image.writeUInt32BE(104, 100);
  }
  image.writeBigUInt64BE(at(2), cluster);
  for (let i = 0; i < 6; i++) image.writeUInt16BE(1, 2 * cluster + 2 * i);
  const copied = 1n << 63n;
  image.writeBigUInt64BE(at(4) | copied, 3 * cluster);
  image.writeBigUInt64BE(at(5) | copied, 4 * cluster);
  randomFillSync(image, 5 * cluster);
  return image;
}

/** The description within a vmdk. */
export function vmdkDescription(type: string, extent = 'RW 2048 SPARSE "disk.vmdk"', more = ''): string {
  return `# Disk DescriptorFile\nversion=1\nCID=1a1b284c\nparentCID=ffffffff\ncreateType="${type}"\n\n${extent}\n${more}\nddb.adapterType = "ide"\n`;
}

/** A vmdk of 1 MiB with one grain; a stream has its directory behind the data and a footer that tells where. */
export function vmdkImage({ stream = false, description = '' } = {}): Buffer {
  const [directory, table, grain] = [22, 23, 128];
  const image = Buffer.alloc((grain + 128 + (stream ? 3 : 0)) * sector);
  const header = Buffer.alloc(sector);
  header.write('KDMV');
  header.writeUInt32LE(stream ? 3 : 1, 4);
  header.writeUInt32LE(stream ? 0x30001 : 1, 8);
  header.writeBigUInt64LE(2048n, 12);
  header.writeBigUInt64LE(128n, 20);
  header.writeBigUInt64LE(1n, 28);
  header.writeBigUInt64LE(20n, 36);
  header.writeUInt32LE(512, 44);
  header.writeBigUInt64LE(BigInt(directory), 56);
  header.writeBigUInt64LE(128n, 64);
  header.write('\n \r\n', 73);
  header.writeUInt16LE(stream ? 1 : 0, 77);
  const text = description === '' ? vmdkDescription(stream ? 'streamOptimized' : 'monolithicSparse') : description;
  image.write(text, sector, 'latin1');
  image.writeUInt32LE(table, directory * sector);
  image.writeUInt32LE(grain, table * sector);
  randomFillSync(image, grain * sector, 128 * sector);
  if (stream) {
    const footer = image.length - 3 * sector;
    image.writeUInt32LE(3, footer + 12);
    header.copy(image, footer + sector);
    header.writeBigUInt64LE(2n ** 64n - 1n, 56);
  }
  header.copy(image);
  return image;
}

const mebibyte = 1024 ** 2;

/** A guid as it is stored. */
export function guidBytes(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  const part = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).reverse();
  return Buffer.concat([part(0, 4), part(4, 6), part(6, 8), bytes.subarray(8)]);
}

const vhdxItems = [
  ['CAA16737-FA36-4D43-B3B6-33F0AA44E76B', 4, 0],
  ['2FA54224-CD1B-4876-B211-5DBED83BF4B8', 6, 8],
  ['8141BF1D-A96F-4709-BA47-F233A8FAAB5F', 6, 16],
] as const;

/** A vhdx of 4 MiB: headers, table of blocks at 1 MiB, metadata at 2 MiB, log at 3 MiB; nothing in it. */
export function vhdxImage({ size = 64 * mebibyte } = {}): Buffer {
  const image = Buffer.alloc(4 * mebibyte);
  image.write('vhdxfile');
  for (const at of [65_536, 131_072]) {
    image.write('head', at);
    image.writeUInt16LE(1, at + 66);
    image.writeUInt32LE(mebibyte, at + 68);
    image.writeUInt32LE(3 * mebibyte, at + 72);
  }
  for (const at of [196_608, 262_144]) {
    image.write('regi', at);
    image.writeUInt32LE(2, at + 8);
    for (const [i, id] of ['2DC27766-F623-4200-9D64-115E9BFD4A08', '8B7CA206-4790-4B9A-B8FE-575F050F886E'].entries()) {
      guidBytes(id).copy(image, at + 16 + i * 32);
      image.writeUInt32LE((i + 1) * mebibyte, at + 32 + i * 32);
      image.writeUInt32LE(mebibyte, at + 40 + i * 32);
      image.writeUInt32LE(1, at + 44 + i * 32);
    }
  }
  const metadata = 2 * mebibyte;
  image.write('metadata', metadata);
  image.writeUInt16LE(vhdxItems.length, metadata + 10);
  for (const [i, [id, flags, offset]] of vhdxItems.entries()) {
    guidBytes(id).copy(image, metadata + 32 + i * 32);
    image.writeUInt32LE(65_536 + offset, metadata + 48 + i * 32);
    image.writeUInt32LE(8, metadata + 52 + i * 32);
    image.writeUInt32LE(flags, metadata + 56 + i * 32);
  }
  image.writeUInt32LE(32 * mebibyte, metadata + 65_536);
  image.writeBigUInt64LE(BigInt(size), metadata + 65_544);
  image.writeUInt32LE(512, metadata + 65_552);
  return image;
}

/** A vdi of 4 blocks, one of them there. */
export function vdiImage(): Buffer {
  const image = Buffer.alloc(1024 + mebibyte);
  image.write('<<< QEMU VM Virtual Disk Image >>>\n');
  image.writeUInt32LE(0xbeda107f, 64);
  image.writeUInt32LE(0x10001, 68);
  image.writeUInt32LE(0x180, 72);
  image.writeUInt32LE(1, 76);
  image.writeUInt32LE(512, 340);
  image.writeUInt32LE(1024, 344);
  image.writeUInt32LE(512, 360);
  image.writeBigUInt64LE(BigInt(4 * mebibyte), 368);
  image.writeUInt32LE(mebibyte, 376);
  image.writeUInt32LE(4, 384);
  image.writeUInt32LE(1, 388);
  for (const [i, block] of [0, 0xffffffff, 0xffffffff, 0xffffffff].entries()) image.writeUInt32LE(block, 512 + i * 4);
  randomFillSync(image, 1024);
  return image;
}

/** A raw disk with a boot sector. */
export function rawImage(): Buffer {
  const image = Buffer.alloc(64 * 1024);
  randomFillSync(image, 4096);
  image.write('\xeb\x63\x90', 'latin1');
  image.writeUInt16LE(0xaa55, 510);
  return image;
}
