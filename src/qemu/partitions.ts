import type { Read } from './ext4.ts';

const sector = 512;
/** An entry of an MBR that stands for a whole GPT. */
const protective = 0xee;

/** Where the partitions of a disk begin, in bytes, in the order of its table; none where it has no table. */
export async function partitionStarts(read: Read): Promise<readonly number[]> {
  const starts = (await gptStarts(read)) ?? (await mbrStarts(read));
  return starts.map((start) => start * sector).filter((start) => start > 0);
}

/** UEFI specification, 5.3; undefined where there is no GPT. */
async function gptStarts(read: Read): Promise<readonly number[] | undefined> {
  const header = await read(sector, sector);
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return undefined;
  const count = Math.min(header.readUInt32LE(80), 128);
  const size = header.readUInt32LE(84);
  if (size < 128 || size > 4096) return [];
  const table = await read(Number(header.readBigUInt64LE(72)) * sector, count * size);
  return Array.from({ length: count }, (_, i) => Number(table.readBigUInt64LE(i * size + 32)));
}

/** The four primary ones. */
async function mbrStarts(read: Read): Promise<readonly number[]> {
  const boot = await read(0, sector);
  if (boot.length < sector || boot.readUInt16LE(510) !== 0xaa55) return [];
  const entries = [446, 462, 478, 494].map((at) => boot.subarray(at, at + 16));
  return entries.filter((entry) => entry[4] !== 0 && entry[4] !== protective).map((entry) => entry.readUInt32LE(8));
}
