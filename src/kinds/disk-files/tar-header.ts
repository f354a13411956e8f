const block = 512;

export type TarEntry = {
  /** At most 100 bytes; longer names stand in records before the header. */
  readonly name: string | Buffer;
  /** `0` file, `1` hard link, `2` link, `3` character device, `4` block device, `5` folder, `6` pipe; see tar(5). */
  readonly type: string;
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  /** Seconds since 1970; default 0. */
  readonly mtime?: number;
  readonly link?: string | Buffer;
  readonly device?: { readonly major: number; readonly minor: number };
};

/** `posix` is ustar and pax; `gnu` is the older format of GNU tar. */
export type TarStyle = 'posix' | 'gnu';

/** The header block of one entry, before its checksum; see `sealHeader`. */
export function openHeader(entry: TarEntry, style: TarStyle): Buffer {
  const header = Buffer.alloc(block);
  put(header, 0, entry.name);
  writeNumber(header, { at: 100, length: 8 }, entry.mode);
  writeNumber(header, { at: 108, length: 8 }, entry.uid ?? 0);
  writeNumber(header, { at: 116, length: 8 }, entry.gid ?? 0);
  writeNumber(header, { at: 124, length: 12 }, entry.size ?? 0);
  writeNumber(header, { at: 136, length: 12 }, entry.mtime ?? 0);
  header.write(entry.type, 156, 'latin1');
  put(header, 157, entry.link ?? '');
  header.write(style === 'gnu' ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1');
  if (style === 'posix') {
    writeNumber(header, { at: 329, length: 8 }, entry.device?.major ?? 0);
    writeNumber(header, { at: 337, length: 8 }, entry.device?.minor ?? 0);
  }
  return header;
}

/** Write the checksum, over everything else that is in the header. */
export function sealHeader(header: Buffer): Buffer {
  header.write(' '.repeat(8), 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

export function tarHeader(entry: TarEntry, style: TarStyle): Buffer {
  return sealHeader(openHeader(entry, style));
}

/** What brings an entry of so many bytes to a whole block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/** Two empty blocks, filled up to the records of 10 KiB that tar writes. */
export function tarEnd(written: number): Buffer {
  const record = 20 * block;
  return Buffer.alloc(Math.ceil((written + 2 * block) / record) * record - written);
}

type Field = { readonly at: number; readonly length: number };

/** Octal digits, or where they are too few the two's complement with its first bit set (GNU tar). */
export function writeNumber(header: Buffer, { at, length }: Field, value: number): void {
  if (value >= 0 && value < 8 ** (length - 1)) {
    header.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
    return;
  }
  header.fill(value < 0 ? 0xff : 0, at, at + length);
  header[at] = value < 0 ? 0xff : 0x80;
  header.writeBigInt64BE(BigInt(value), at + length - 8);
  if (length === 8) header[at] = value < 0 ? 0xff : 0x80;
}

function put(header: Buffer, at: number, text: string | Buffer): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  if (bytes.length > 100) throw new Error(`${bytes.toString('latin1')} is too long for the header of a tar`);
  bytes.copy(header, at);
}
