import { flattenHint, type ImageBytes, u64le } from './bytes.ts';

// Layout: [MS-VHDX] 2.2 to 2.6.
const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const headers = [64 * kibibyte, 128 * kibibyte];
const regionTables = [192 * kibibyte, 256 * kibibyte] as const;
const mostEntries = 2047;

const regions = {
  bat: '2dc27766f62342009d64115e9bfd4a08',
  metadata: '8b7ca20647904b9ab8fe575f050f886e',
};
const items = {
  file: 'caa16737fa364d43b3b633f0aa44e76b',
  size: '2fa54224cd1b4876b2115dbed83bf4b8',
  page83: 'beca12abb2e6452393efc309e000c746',
  logicalSector: '8141bf1da96f4709ba47f233a8faab5f',
  physicalSector: 'cda348c7445d44719cc9e9885251c556',
  parent: 'a8d35f2db30b454dabf7d3d84834ab0c',
};

type Place = { readonly offset: number; readonly length: number };

/** Refuse a vhdx with a parent, with writes still in its log, or whose tables cannot be right; gives its virtual size. */
export async function vetVhdx(image: ImageBytes): Promise<number> {
  for (const offset of headers) await checkHeader(image, offset);
  // Two copies, and which one is read differs between programs: both must do.
  const [first, second] = regionTables;
  const size = await vetRegions(image, first);
  if ((await vetRegions(image, second)) === size) return size;
  throw image.refusal('its two region tables tell different sizes', `byte ${second}`);
}

async function checkHeader(image: ImageBytes, offset: number): Promise<void> {
  const bytes = await image.readWhole(offset, 80, 'header');
  if (bytes.toString('latin1', 0, 4) !== 'head') throw image.refusal('it has no header there', `byte ${offset}`);
  if (bytes.subarray(48, 64).some((byte) => byte !== 0)) {
    const hint = 'open and close it once with the program that wrote it';
    throw image.refusal('it was not closed after its last write: its log is not empty', `byte ${offset + 48}`, hint);
  }
  const version = bytes.readUInt16LE(66);
  if (version !== 1) throw image.refusal(`its vhdx version ${version} is not known`, `byte ${offset + 66}`);
  image.requireInside(u64le(bytes, 72), bytes.readUInt32LE(68), 'log');
}

async function vetRegions(image: ImageBytes, offset: number): Promise<number> {
  const found = new Map<string, Place>();
  for (const [i, entry] of (await entriesOf(image, { offset, sign: 'regi', countAt: 8, first: 16 })).entries()) {
    const at = offset + 16 + i * 32;
    const id = guid(entry);
    const place = { offset: u64le(entry, 16), length: entry.readUInt32LE(24) };
    const isKnown = Object.values(regions).includes(id);
    if (!isKnown && entry.readUInt32LE(28) !== 0) throw unknown(image, at);
    if (found.has(id)) throw image.refusal('it has a region twice', `byte ${at}`);
    if (!isKnown) continue;
    if (place.offset < mebibyte) throw image.refusal('a region of it lies over its header', `byte ${at}`);
    image.requireInside(place.offset, place.length, 'region');
    found.set(id, place);
  }
  const [bat, metadata] = [found.get(regions.bat), found.get(regions.metadata)];
  if (bat === undefined || metadata === undefined) throw image.refusal('a region of it is missing', `byte ${offset}`);
  return vetMetadata(image, metadata, bat);
}

async function vetMetadata(image: ImageBytes, metadata: Place, bat: Place): Promise<number> {
  const found = new Map<string, Buffer>();
  const table = { offset: metadata.offset, sign: 'metadata', countAt: 10, first: 32 };
  for (const [i, entry] of (await entriesOf(image, table)).entries()) {
    const at = metadata.offset + 32 + i * 32;
    const id = guid(entry);
    if (id === items.parent) throw image.refusal('it lies on another file (a parent)', `byte ${at}`, flattenHint);
    const isRequired = (entry.readUInt32LE(24) & 4) !== 0;
    if (!Object.values(items).includes(id)) {
      if (isRequired) throw unknown(image, at);
      continue;
    }
    if (found.has(id)) throw image.refusal('it has an item twice', `byte ${at}`);
    const offset = entry.readUInt32LE(16);
    if (offset + 16 > metadata.length) throw image.refusal('an item lies outside its region', `byte ${at}`);
    found.set(id, await image.readWhole(metadata.offset + offset, 16, 'metadata'));
  }
  const [file, size, sector] = [found.get(items.file), found.get(items.size), found.get(items.logicalSector)];
  if (file === undefined || size === undefined || sector === undefined) {
    throw image.refusal('it does not tell its size', `byte ${metadata.offset}`);
  }
  if ((file.readUInt32LE(4) & 2) !== 0) {
    throw image.refusal('it lies on another file (a parent)', `byte ${metadata.offset}`, flattenHint);
  }
  const disk = { size: u64le(size, 0), block: file.readUInt32LE(0), sector: sector.readUInt32LE(0) };
  checkTable(image, disk, { metadata, bat });
  return disk.size;
}

/** The table of blocks must have an entry for each, and those of sector bitmaps between them. */
function checkTable(
  image: ImageBytes,
  disk: { readonly size: number; readonly block: number; readonly sector: number },
  { metadata, bat }: { readonly metadata: Place; readonly bat: Place },
): void {
  const { size, block, sector } = disk;
  const isPower = Number.isInteger(Math.log2(block));
  if (!isPower || block < mebibyte || block > 256 * mebibyte || (sector !== 512 && sector !== 4096)) {
    throw image.refusal(`its blocks would have ${block} bytes, its sectors ${sector}`, `byte ${metadata.offset}`);
  }
  const blocks = Math.ceil(size / block);
  const perBitmap = (2 ** 23 * sector) / block;
  const entries = blocks + Math.floor(Math.max(0, blocks - 1) / perBitmap);
  if (entries * 8 > bat.length) {
    throw image.refusal(`its table of ${bat.length} bytes is too small for ${size} bytes`, `byte ${bat.offset}`);
  }
}

async function entriesOf(
  image: ImageBytes,
  table: { readonly offset: number; readonly sign: string; readonly countAt: number; readonly first: number },
): Promise<readonly Buffer[]> {
  const { offset, sign, countAt, first } = table;
  const head = await image.readWhole(offset, 32, 'table');
  if (head.toString('latin1', 0, sign.length) !== sign) {
    throw image.refusal('a table of it is not where it should be', `byte ${offset}`);
  }
  const count = head.readUInt16LE(countAt);
  if (count > mostEntries) throw image.refusal(`a table of it would have ${count} entries`, `byte ${offset + countAt}`);
  const bytes = await image.readWhole(offset + first, count * 32, 'table');
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * 32, i * 32 + 32));
}

function unknown(image: ImageBytes, at: number) {
  return image.refusal('it has features that this version of Ingot does not know', `byte ${at}`);
}

/** As it is written in text: the first three parts are little endian. */
function guid(bytes: Buffer): string {
  const part = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).reverse().toString('hex');
  return part(0, 4) + part(4, 6) + part(6, 8) + bytes.toString('hex', 8, 16);
}
