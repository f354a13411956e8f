import { flattenHint, type ImageBytes, u64le } from './bytes.ts';

// Layout: VMware "Virtual Disk Format 5.0"; what QEMU reads of it: block/vmdk.c.
const sector = 512;
const descriptorSectors = 20;
const knownFlags = 0x30007;
const atEnd = 2 ** 64;

type Header = {
  readonly capacity: number;
  readonly grain: number;
  readonly directory: number;
  readonly redundant: number | undefined;
};

/** Refuse a vmdk that is not one whole file, as `monolithicSparse` and `streamOptimized` are; gives its virtual size. */
export async function vetVmdk(image: ImageBytes): Promise<number> {
  const first = await image.readWhole(0, sector, 'header');
  const header = readHeader(image, first, 0);
  await checkDescriptor(image, first);
  // Written as a stream: the directory's place was known only at the end.
  const last = header.directory * sector >= atEnd ? await readFooter(image) : header;
  if (last.capacity !== header.capacity) {
    throw image.refusal('its header and its footer tell different sizes', `byte ${image.size - 2 * sector}`);
  }
  const entries = Math.ceil(last.capacity / (last.grain * 512));
  for (const directory of [last.directory, last.redundant]) {
    if (directory !== undefined) await checkDirectory(image, directory * sector, entries);
  }
  return header.capacity * sector;
}

function readHeader(image: ImageBytes, bytes: Buffer, at: number): Header {
  const where = (offset: number) => `byte ${at + offset}`;
  if (bytes.toString('latin1', 0, 4) !== 'KDMV') throw image.refusal('it has no vmdk header there', where(0));
  const version = bytes.readUInt32LE(4);
  if (version < 1 || version > 3) throw image.refusal(`its vmdk version ${version} is not known`, where(4));
  const flags = bytes.readUInt32LE(8);
  if ((flags & ~knownFlags) !== 0) {
    throw image.refusal(
      'it has features that this version of Ingot does not know',
      `${where(8)}, 0x${flags.toString(16)}`,
    );
  }
  const capacity = u64le(bytes, 12);
  // QEMU takes a file without a size for a list of other files.
  if (capacity === 0) throw image.refusal('it is a description of other files', where(12), flattenHint);
  const grain = u64le(bytes, 20);
  if (grain < 8 || grain > 2048 || !Number.isInteger(Math.log2(grain))) {
    throw image.refusal(`its grains would have ${grain} sectors`, where(20));
  }
  if (bytes.readUInt32LE(44) !== 512) throw image.refusal('its grain tables have no usual size', where(44));
  if (bytes.readUInt16LE(77) > 1) throw image.refusal('its compression method is not known', where(77));
  const redundant = (flags & 2) === 0 ? undefined : u64le(bytes, 48);
  return { capacity, grain, directory: u64le(bytes, 56), redundant };
}

/** Three sectors at the end: a marker, the header again, a marker. */
async function readFooter(image: ImageBytes): Promise<Header> {
  const offset = image.size - 3 * sector;
  if (offset < 0 || image.size % sector !== 0) {
    throw image.refusal('it ends before its footer', `byte ${image.size}`, 'it may be cut off: fetch it again');
  }
  const bytes = await image.readWhole(offset, 3 * sector, 'footer');
  if (bytes.readUInt32LE(8) !== 0 || bytes.readUInt32LE(12) !== 3) {
    throw image.refusal(
      'it has no footer where its header says',
      `byte ${offset}`,
      'it may be cut off: fetch it again',
    );
  }
  const footer = readHeader(image, bytes.subarray(sector, 2 * sector), offset + sector);
  if (footer.directory * sector >= atEnd)
    throw image.refusal('it has no grain directory', `byte ${offset + sector + 56}`);
  return footer;
}

async function checkDirectory(image: ImageBytes, offset: number, entries: number): Promise<void> {
  const what = 'grain directory';
  if (offset < sector) throw image.refusal(`its ${what} lies over its header`, `byte ${offset}`);
  image.requireInside(offset, entries * 4, what);
  await image.eachPiece(offset, entries * 4, (piece, at) => {
    for (let i = 0; i + 4 <= piece.length; i += 4) {
      const table = piece.readUInt32LE(i) * sector;
      if (table >= image.size) throw image.refusal(`its ${what} points outside the file`, `byte ${at + i}`);
    }
  });
}

/**
 * The description that is a part of the file. QEMU looks at 20 sectors from the second one on, wherever the header says it
 * is, and takes a name of a parent from anywhere in them.
 */
async function checkDescriptor(image: ImageBytes, header: Buffer): Promise<void> {
  const length = u64le(header, 36);
  if (u64le(header, 28) !== 1 || length === 0 || length > 2048) {
    throw image.refusal('its description is not behind its header', 'byte 28');
  }
  const bytes = await image.readWhole(sector, Math.max(length, descriptorSectors) * sector, 'description');
  const all = bytes.toString('latin1');
  if (/parentfilenamehint/i.test(all))
    throw image.refusal('it lies on another file (a parent)', `byte ${sector}`, flattenHint);
  const lines = (all.split('\0', 1)[0] ?? '').split('\n');
  const line = (pattern: RegExp) => lines.map((text) => pattern.exec(text)).find((match) => match !== null);
  const type = line(/^\s*createType\s*=\s*"?([^"\r]*)/i)?.[1] ?? '';
  if (type !== 'monolithicSparse' && type !== 'streamOptimized') {
    throw image.refusal(`it is a vmdk of the kind ${JSON.stringify(type)}`, `byte ${sector}`, flattenHint);
  }
  const parent = line(/^\s*parentCID\s*=\s*([^\s"]*)/i)?.[1];
  if (parent !== undefined && parent.toLowerCase() !== 'ffffffff') {
    throw image.refusal('it lies on another file (a parent)', `byte ${sector}, parentCID ${parent}`, flattenHint);
  }
  if (/^\s*encryption\./im.test(all)) throw image.refusal('it is encrypted', `byte ${sector}`, 'decrypt it first');
  refuseExtents(image, lines);
}

/** One extent, which is the file itself. */
function refuseExtents(image: ImageBytes, lines: readonly string[]): void {
  const extents = lines.filter((text) => /^\s*(RW|RDONLY|NOACCESS)\s/i.test(text));
  const [only = ''] = extents;
  const [, name] = /^\s*RW\s+\d+\s+SPARSE\s+"([^"]*)"\s*$/i.exec(only.replace('\r', '')) ?? [];
  if (extents.length === 1 && name !== undefined && !/[/\\:]/.test(name)) return;
  const told = extents.find((text) => text !== only || name === undefined || /[/\\:]/.test(name)) ?? '';
  throw image.refusal(
    'it names other files as its parts (extents)',
    `byte ${sector}, ${JSON.stringify(told)}`,
    flattenHint,
  );
}
