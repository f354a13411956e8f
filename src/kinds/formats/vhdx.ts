import { z } from 'zod';
import type { OpenFile } from '../../core/host.ts';
import { defineFormat } from '../../core/kinds.ts';
import { convertArgv, convertWithIdentity, idBytes, patchFile, qemuImg } from '../disk-files/convert.ts';
import { crc32c } from '../disk-files/crc32c.ts';

const options = z.strictObject({});
type Options = z.infer<typeof options>;

/** The disk of Hyper-V, growing with what is written. */
export const vhdx = defineFormat<Options>({
  name: 'vhdx',
  version: 2,
  summary: 'The disk image of Hyper-V, growing with what is written to it.',
  options,
  example: {},
  title: () => 'vhdx',
  tools: () => [qemuImg],
  extension: () => 'vhdx',
  boots: () => 'vhdx',
  write: async (_, { disk, output }, ctx) => {
    const argv = convertArgv('vhdx', ['-o', 'subformat=dynamic'], disk, output);
    const identity = await convertWithIdentity(argv, disk, ctx);
    await patchFile(output, ctx, (file) => settle(file, identity));
  },
});

// Offsets are those of [MS-VHDX] 2.2 to 2.6.
const headers = [65_536, 131_072] as const;
const headerBytes = 4096;
const regionTable = 196_608;
const metadataRegion = guid('8B7CA206-4790-4B9A-B8FE-575F050F886E');
const diskId = guid('BECA12AB-B2E6-4523-93EF-C309E000C746');

/** Give a whole, closed file ids of its own and an empty log, as if it had been written in one go. */
async function settle(file: OpenFile, identity: string): Promise<void> {
  const first = await file.read(headers[0], headerBytes);
  const log = { at: Number(first.readBigUInt64LE(72)), bytes: first.readUInt32LE(68) };
  for (const [index, at] of headers.entries()) {
    await file.write(at, headerOf(await file.read(at, headerBytes), index + 1, identity));
  }
  await file.write(log.at, Buffer.alloc(log.bytes));
  await file.write(await placeOfDiskId(file), idBytes(identity, 'vhdx disk'));
}

/** The second of the two is the newer one; both say the same. */
function headerOf(header: Buffer, sequence: number, identity: string): Buffer {
  header.writeBigUInt64LE(BigInt(sequence), 8);
  idBytes(identity, 'vhdx file write').copy(header, 16);
  idBytes(identity, 'vhdx data write').copy(header, 32);
  header.fill(0, 48, 64);
  header.writeUInt32LE(0, 4);
  header.writeUInt32LE(crc32c(header), 4);
  return header;
}

async function placeOfDiskId(file: OpenFile): Promise<number> {
  const regions = await file.read(regionTable, 65_536);
  const region = entryOf(regions, { from: 16, count: regions.readUInt32LE(8), id: metadataRegion });
  const metadata = Number(region.readBigUInt64LE(16));
  const table = await file.read(metadata, 65_536);
  const entry = entryOf(table, { from: 32, count: table.readUInt16LE(10), id: diskId });
  return metadata + entry.readUInt32LE(16);
}

function entryOf(table: Buffer, find: { readonly from: number; readonly count: number; readonly id: Buffer }): Buffer {
  for (let i = 0; i < find.count; i += 1) {
    const entry = table.subarray(find.from + i * 32, find.from + i * 32 + 32);
    if (entry.subarray(0, 16).equals(find.id)) return entry;
  }
  throw new Error('qemu-img wrote a VHDX without the entries that every VHDX has');
}

/** As it is stored: the first three groups with their low byte first. */
function guid(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
