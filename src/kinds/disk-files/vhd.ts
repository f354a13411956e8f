const sector = 512;
/** What every VHD can hold at most (2040 GiB). */
export const mostVhdBytes = 2040 * 1024 ** 3;

/** The last sector of a fixed VHD (Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer Format"). */
export function fixedFooter(bytes: number, id: Buffer): Buffer {
  const footer = Buffer.alloc(sector);
  footer.write('conectix', 0, 'latin1');
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(0x0001_0000, 12);
  footer.fill(0xff, 16, 24);
  // By this name readers know that the size below counts, not the geometry (QEMU's block/vpc.c).
  footer.write('qem2', 28, 'latin1');
  footer.writeUInt32BE(0x0001_0000, 32);
  footer.write('Wi2k', 36, 'latin1');
  footer.writeBigUInt64BE(BigInt(bytes), 40);
  footer.writeBigUInt64BE(BigInt(bytes), 48);
  // The largest geometry there is (65535 cylinders, 16 heads, 255 sectors), which says that it does not count.
  footer.set([0xff, 0xff, 16, 255], 56);
  footer.writeUInt32BE(2, 60);
  return stampFooter(footer, id);
}

/** A footer without the time and id that were made up for it. */
export function stampFooter(footer: Buffer, id: Buffer): Buffer {
  footer.writeUInt32BE(0, 24);
  id.copy(footer, 68);
  footer.writeUInt32BE(0, 64);
  const sum = footer.reduce((total, byte) => total + byte, 0);
  footer.writeUInt32BE(~sum >>> 0, 64);
  return footer;
}
