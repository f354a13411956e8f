import { flattenHint, type ImageBytes, u64le } from './bytes.ts';

// Layout: block/vdi.c of QEMU, VBox/Storage/VDICore.h of VirtualBox.
const headerBytes = 512;
const blockBytes = 1024 ** 2;

/** Refuse a vdi that is a difference to another one, or whose table cannot be right; gives its virtual size in bytes. */
export async function vetVdi(image: ImageBytes): Promise<number> {
  const bytes = await image.readWhole(0, headerBytes, 'header');
  const version = bytes.readUInt32LE(68);
  if (version !== 0x10001) throw image.refusal(`its vdi version 0x${version.toString(16)} is not known`, 'byte 68');
  const type = bytes.readUInt32LE(76);
  const parents = bytes.subarray(424, 456);
  if (type === 3 || type === 4 || parents.some((byte) => byte !== 0)) {
    throw image.refusal('it is a difference to another file (a parent)', 'byte 76', flattenHint);
  }
  if (type !== 1 && type !== 2) throw image.refusal(`its kind ${type} is not known`, 'byte 76');
  const [sector, block, extra] = [bytes.readUInt32LE(360), bytes.readUInt32LE(376), bytes.readUInt32LE(380)];
  if (sector !== 512 || block !== blockBytes || extra !== 0) {
    throw image.refusal(`its blocks would have ${block} bytes, its sectors ${sector}`, 'byte 360');
  }
  const size = u64le(bytes, 368);
  const [blocks, allocated] = [bytes.readUInt32LE(384), bytes.readUInt32LE(388)];
  if (blocks * blockBytes < size || allocated > blocks) {
    throw image.refusal(`its ${blocks} blocks (${allocated} in use) do not hold ${size} bytes`, 'byte 384');
  }
  const [table, data] = [bytes.readUInt32LE(340), bytes.readUInt32LE(344)];
  if (table < headerBytes || table % 512 !== 0 || data % 512 !== 0 || data < table + blocks * 4) {
    throw image.refusal('its table and its data lie over each other', 'byte 340');
  }
  image.requireInside(table, blocks * 4, 'table of blocks');
  // The last block may end where the disk does.
  image.requireInside(data, Math.max(0, allocated - 1) * blockBytes, 'data');
  return size;
}
