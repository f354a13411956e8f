import { flattenHint, type ImageBytes, quoted, u64be } from './bytes.ts';

// Layout: docs/interop/qcow2.txt of QEMU. Limits: block/qcow2.h.
const mostL1Bytes = 32 * 1024 ** 2;
const mostRefcountBytes = 8 * 1024 ** 2;
const mostSnapshots = 64;

type Header = {
  readonly version: number;
  readonly clusterSize: number;
  readonly size: number;
  readonly length: number;
  /** In a cluster: entries of 8 bytes, or of 16 with subclusters. */
  readonly l2Entries: number;
  readonly bytes: Buffer;
};

/** A table that QEMU reads when it opens the image. */
type Table = { readonly what: string; readonly offset: number; readonly length: number };

/** Refuse a qcow2 that leads elsewhere, is encrypted, or whose tables cannot be right; gives its virtual size in bytes. */
export async function vetQcow2(image: ImageBytes): Promise<number> {
  const header = await readHeader(image);
  refuseOtherFiles(image, header, await backingName(image, header));
  if (header.version >= 3) refuseFeatures(image, header);
  await refuseExtensions(image, header);
  const tables = [l1Table(image, header), refcountTable(image, header)] as const;
  for (const table of tables) checkPlace(image, table, header);
  const [l1, refcounts] = tables;
  if (l1.offset < refcounts.offset + refcounts.length && refcounts.offset < l1.offset + l1.length) {
    throw image.refusal('its L1 table and its refcount table lie over each other', `byte ${refcounts.offset}`);
  }
  for (const table of tables) await checkPointers(image, table, { header, tables });
  await checkSnapshots(image, header);
  return header.size;
}

async function readHeader(image: ImageBytes): Promise<Header> {
  const bytes = await image.readWhole(0, 72, 'header');
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw image.refusal(`it is qcow version ${version}, not 2 or 3`, 'byte 4');
  const bits = bytes.readUInt32BE(20);
  if (bits < 9 || bits > 21) throw image.refusal(`its clusters would have 2^${bits} bytes`, 'byte 20');
  const common = { version, clusterSize: 2 ** bits, size: u64be(bytes, 24) };
  if (version === 2) return { ...common, length: 72, l2Entries: common.clusterSize / 8, bytes };
  const long = await image.readWhole(0, 104, 'header');
  const length = long.readUInt32BE(100);
  if (length < 104 || length % 8 !== 0 || length > common.clusterSize) {
    throw image.refusal(`its header would have ${length} bytes`, 'byte 100');
  }
  const subclusters = (long.readUInt32BE(76) & 0x10) !== 0;
  const whole = await image.readWhole(0, length, 'header');
  return { ...common, length, l2Entries: common.clusterSize / (subclusters ? 16 : 8), bytes: whole };
}

async function backingName(image: ImageBytes, { bytes }: Header): Promise<string> {
  const offset = u64be(bytes, 8);
  const length = bytes.readUInt32BE(16);
  return offset === 0 && length === 0 ? '' : quoted(await image.read(offset, Math.min(length, 1023)));
}

function refuseOtherFiles(image: ImageBytes, { bytes, version }: Header, backing: string): void {
  if (backing !== '') {
    throw image.refusal('it lies on another file (a backing file)', `byte 8, ${backing}`, flattenHint);
  }
  const method = bytes.readUInt32BE(32);
  if (method !== 0) throw image.refusal('it is encrypted', `byte 32, method ${method}`, 'decrypt it first');
  if (version >= 3 && ((bytes[79] ?? 0) & 4 || (bytes[95] ?? 0) & 2)) {
    throw image.refusal('its data is in another file (an external data file)', 'byte 72, bit 2', flattenHint);
  }
}

// Dirty, corrupt, external data file, compression type, subclusters.
const knownFeatures = 0b11111;

function refuseFeatures(image: ImageBytes, { bytes, clusterSize, length }: Header): void {
  const features = bytes.readUInt32BE(76);
  if (bytes.readUInt32BE(72) !== 0 || (features & ~knownFeatures) !== 0) {
    const shown = bytes.toString('hex', 72, 80);
    throw image.refusal('it has features that this version of Ingot does not know', `byte 72, bits 0x${shown}`);
  }
  const repair = 'on a machine you trust: qemu-img check -r all IMAGE';
  if ((features & 2) !== 0) throw image.refusal('it is marked as corrupt', 'byte 72, bit 1', repair);
  if ((features & 1) !== 0) throw image.refusal('it was not closed after its last write', 'byte 72, bit 0', repair);
  const order = bytes.readUInt32BE(96);
  if (order > 6) throw image.refusal(`its refcounts would have 2^${order} bits`, 'byte 96');
  const compression = length > 104 ? (bytes[104] ?? 0) : 0;
  if (compression > 1) throw image.refusal(`its compression method ${compression} is not known`, 'byte 104');
  if ((features & 16) !== 0 && clusterSize < 16_384) {
    throw image.refusal('its clusters are too small for subclusters', 'byte 72, bit 4');
  }
}

const extensions: Readonly<Record<number, readonly [why: string, hint: string]>> = {
  [0xe2792aca]: ['it lies on another file (a backing file format)', flattenHint],
  [0x44415441]: ['its data is in another file (an external data file)', flattenHint],
  [0x0537be77]: ['it is encrypted', 'decrypt it first'],
};
const bitmaps = 0x23852875;
const mostExtensions = 32;

async function refuseExtensions(image: ImageBytes, { length, clusterSize }: Header): Promise<void> {
  let offset = length;
  for (let count = 0; offset + 8 <= clusterSize && offset + 8 <= image.size; count++) {
    const head = await image.readWhole(offset, 8, 'header extensions');
    const [type, bytes] = [head.readUInt32BE(0), head.readUInt32BE(4)];
    if (type === 0) return;
    const known = extensions[type];
    if (known !== undefined) {
      const text = quoted(await image.read(offset + 8, Math.min(bytes, 1023)));
      throw image.refusal(known[0], `byte ${offset}, ${text}`, known[1]);
    }
    const next = offset + 8 + Math.ceil(bytes / 8) * 8;
    if (next > clusterSize || count >= mostExtensions) {
      throw image.refusal('its header extensions do not end within its first cluster', `byte ${offset}`);
    }
    if (type === bitmaps) await checkBitmaps(image, offset + 8);
    offset = next;
  }
}

async function checkBitmaps(image: ImageBytes, offset: number): Promise<void> {
  const bytes = await image.readWhole(offset, 24, 'list of bitmaps');
  const [count, length] = [bytes.readUInt32BE(0), u64be(bytes, 8)];
  if (count > 65_535 || length > 1024 * 65_535) throw image.refusal(`it would have ${count} bitmaps`, `byte ${offset}`);
  image.requireInside(u64be(bytes, 16), length, 'list of bitmaps');
}

function l1Table(image: ImageBytes, { bytes, size, clusterSize, l2Entries }: Header): Table {
  const entries = bytes.readUInt32BE(36);
  const needed = Math.ceil(size / clusterSize / l2Entries);
  // Some are left over where an image was made smaller.
  if (entries * 8 > mostL1Bytes || entries > 2 * needed + clusterSize / 8) {
    throw image.refusal(`its L1 table would have ${entries} entries where ${size} bytes need ${needed}`, 'byte 36');
  }
  if (entries < needed) {
    throw image.refusal(`its L1 table has ${entries} entries where ${size} bytes need ${needed}`, 'byte 36');
  }
  return { what: 'L1 table', offset: u64be(bytes, 40), length: entries * 8 };
}

function refcountTable(image: ImageBytes, { bytes, clusterSize }: Header): Table {
  const clusters = bytes.readUInt32BE(56);
  const length = clusters * clusterSize;
  if (clusters === 0 || length > mostRefcountBytes) {
    throw image.refusal(`its refcount table would have ${length} bytes`, 'byte 56');
  }
  return { what: 'refcount table', offset: u64be(bytes, 48), length };
}

function checkPlace(image: ImageBytes, { what, offset, length }: Table, { clusterSize }: Header): void {
  image.requireInside(offset, length, what);
  if (length > 0 && (offset < clusterSize || offset % clusterSize !== 0)) {
    throw image.refusal(`its ${what} lies where it cannot be`, `byte ${offset}`);
  }
}

/** Entries are places of tables: on a cluster of their own in the file, never the header or the tables themselves. */
async function checkPointers(
  image: ImageBytes,
  table: Table,
  { header, tables }: { readonly header: Header; readonly tables: readonly [Table, Table] },
): Promise<void> {
  const { clusterSize } = header;
  const isL1 = table.what === 'L1 table';
  // Bits of the upper half: in an L1 entry the highest one says that nobody else uses the cluster.
  const [reserved, address] = isL1 ? [0x7f000000, 0x00ffffff] : [0, 0xffffffff];
  const [first, second] = tables;
  const isTaken = (offset: number) => offset < clusterSize || isWithin(offset, first) || isWithin(offset, second);
  // Millions of times: no more than this.
  await image.eachPiece(table.offset, table.length, (piece, at) => {
    for (let i = 0; i + 8 <= piece.length; i += 8) {
      const high = piece.readUInt32BE(i);
      const offset = ((high & address) >>> 0) * 2 ** 32 + piece.readUInt32BE(i + 4);
      if (offset === 0 && (high & reserved) === 0) continue;
      const isOff = (high & reserved) !== 0 || offset % clusterSize !== 0;
      if (offset < image.size && !isOff && !isTaken(offset)) continue;
      const why =
        offset >= image.size ? 'outside the file' : isTaken(offset) ? 'at its own header or tables' : 'nowhere';
      throw image.refusal(`its ${table.what} points ${why}`, `byte ${at + i}, to byte ${offset}`);
    }
  });
}

function isWithin(offset: number, { offset: start, length }: Table): boolean {
  return offset >= start && offset < start + length;
}

async function checkSnapshots(image: ImageBytes, { bytes }: Header): Promise<void> {
  const count = bytes.readUInt32BE(60);
  if (count === 0) return;
  if (count > mostSnapshots) throw image.refusal(`it would have ${count} snapshots`, 'byte 60');
  let offset = u64be(bytes, 64);
  for (let left = count; left > 0; left--) {
    const entry = await image.readWhole(offset, 40, 'snapshot table');
    image.requireInside(u64be(entry, 0), entry.readUInt32BE(8) * 8, 'snapshot');
    const length = 40 + entry.readUInt32BE(36) + entry.readUInt16BE(12) + entry.readUInt16BE(14);
    image.requireInside(offset, length, 'snapshot table');
    offset += Math.ceil(length / 8) * 8;
  }
}
