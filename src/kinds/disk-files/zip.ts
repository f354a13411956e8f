import { crc32 } from 'node:zlib';

/** A folder (its name ends in a slash) or a file that is stored as it is. */
export type ZipEntry = {
  readonly name: string;
  readonly size: number;
  /** CRC-32 of its bytes. */
  readonly sum: number;
  readonly bytes: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
};

export function zipFolder(name: string): ZipEntry {
  return { name, size: 0, sum: 0, bytes: () => [] };
}

export function zipText(name: string, text: string): ZipEntry {
  const data = Buffer.from(text);
  return { name, size: data.length, sum: crc32(data), bytes: () => [data] };
}

const most = 0xffff_ffff;
/** 1980-01-01, the first day that a zip can tell. */
const day = 0x21;

/**
 * An archive of entries in their order (PKWARE's APPNOTE.TXT), as it comes. Nothing is compressed; what needs more than
 * 4 GiB has the larger fields of zip64.
 */
export async function* zipOf(entries: readonly ZipEntry[]): AsyncGenerator<Uint8Array> {
  const central: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const local = localHeader(entry);
    central.push(centralHeader(entry, offset));
    yield local;
    yield* entry.bytes();
    offset += local.length + entry.size;
  }
  const directory = Buffer.concat(central);
  yield directory;
  yield endOf({ count: entries.length, bytes: directory.length, offset });
}

/** Version to unpack it, flags (names are UTF-8), method (stored), time, day, sum, sizes, lengths. */
function common({ name, size, sum }: ZipEntry, extra: Buffer): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(extra.length > 0 ? 45 : 20, 0);
  fields.writeUInt16LE(0x800, 2);
  fields.writeUInt16LE(day, 8);
  fields.writeUInt32LE(sum, 10);
  fields.writeUInt32LE(Math.min(size, most), 14);
  fields.writeUInt32LE(Math.min(size, most), 18);
  fields.writeUInt16LE(Buffer.byteLength(name), 22);
  fields.writeUInt16LE(extra.length, 24);
  return fields;
}

/** The fields that do not fit, eight bytes each. */
function zip64(values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const extra = Buffer.alloc(4 + values.length * 8);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(values.length * 8, 2);
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + index * 8);
  return extra;
}

function localHeader(entry: ZipEntry): Buffer {
  const extra = zip64(entry.size >= most ? [entry.size, entry.size] : []);
  return Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common(entry, extra), Buffer.from(entry.name), extra]);
}

function centralHeader(entry: ZipEntry, offset: number): Buffer {
  const sizes = entry.size >= most ? [entry.size, entry.size] : [];
  const extra = zip64([...sizes, ...(offset >= most ? [offset] : [])]);
  const rest = Buffer.alloc(14);
  const mode = entry.name.endsWith('/') ? 0o040755 : 0o100644;
  rest.writeUInt32LE(mode * 2 ** 16 + (entry.name.endsWith('/') ? 0x10 : 0), 6);
  rest.writeUInt32LE(Math.min(offset, most), 10);
  const unix = Buffer.from([45, 3]);
  const start = Buffer.from('PK\x01\x02', 'latin1');
  return Buffer.concat([start, unix, common(entry, extra), rest, Buffer.from(entry.name), extra]);
}

function endOf({ count, bytes, offset }: { readonly count: number; readonly bytes: number; readonly offset: number }) {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(bytes, 12);
  end.writeUInt32LE(Math.min(offset, most), 16);
  if (offset < most) return end;
  const larger = Buffer.alloc(56);
  larger.write('PK\x06\x06', 'latin1');
  larger.writeBigUInt64LE(44n, 4);
  larger.writeUInt16LE(0x032d, 12);
  larger.writeUInt16LE(45, 14);
  for (const at of [24, 32]) larger.writeBigUInt64LE(BigInt(count), at);
  larger.writeBigUInt64LE(BigInt(bytes), 40);
  larger.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([larger, locator, end]);
}
