import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { ImageBytes } from './vet/bytes.ts';
import { vetQcow2 } from './vet/qcow2.ts';
import { vetVdi } from './vet/vdi.ts';
import { vetVhdx } from './vet/vhdx.ts';
import { vetVmdk } from './vet/vmdk.ts';

export const diskFormats = ['qcow2', 'raw', 'vmdk', 'vhdx', 'vdi'] as const;
export type DiskFormat = (typeof diskFormats)[number];

export type Vetted = { readonly format: DiskFormat /** Bytes. */; readonly virtualSize: number };

const tebibyte = 1024 ** 4;
const mostBytes = 64 * tebibyte;
const mostRatio = 1_000_000;

/**
 * Look at a disk image that comes from elsewhere, before any program opens it: its header and its tables, by our own eyes.
 * One that leads to another file, is encrypted, claims an absurd size, is not what it is said to be (`format`, undefined:
 * nothing is said) or cannot be right is INPUT_REFUSED, with what is wrong and where. `name`: for errors.
 */
export async function vetDisk(
  disk: { readonly path: string; readonly name: string; readonly format: DiskFormat | undefined },
  { host }: Context,
): Promise<Vetted> {
  const path = await host.files.realPath(disk.path).catch(() => disk.path);
  const stat = await host.files.stat(path);
  if (stat?.kind !== 'file') throw new IngotError({ code: 'NOT_FOUND', message: `${disk.name} is not a file` });
  const image = new ImageBytes(host.files, { path, name: disk.name, size: stat.size });
  const format = await formatOf(image, disk.format);
  const virtualSize = await vets[format](image);
  if (!(virtualSize > 0)) throw image.refusal('it is empty: its disk has no size', 'virtual size');
  if (virtualSize > mostBytes || virtualSize > image.size * mostRatio) {
    const why = `its disk would have ${virtualSize} bytes, the file has ${image.size}`;
    throw image.refusal(why, 'virtual size', 'no disk to start from is like that: do not trust who made it');
  }
  return { format, virtualSize };
}

const vets: Readonly<Record<DiskFormat, (image: ImageBytes) => Promise<number>>> = {
  qcow2: vetQcow2,
  vmdk: vetVmdk,
  vhdx: vetVhdx,
  vdi: vetVdi,
  raw: async (image) => {
    if (image.size % 512 === 0) return image.size;
    throw image.refusal('it has no whole number of sectors', `byte ${image.size}`, 'it may be cut off: fetch it again');
  },
};

async function formatOf(image: ImageBytes, said: DiskFormat | undefined): Promise<DiskFormat> {
  const head = await image.read(0, 4096);
  const tail = await image.read(Math.max(0, image.size - 512), 512);
  if (head.length === 0) throw image.refusal('it is empty', 'byte 0');
  const found = signs.find(({ at, text, end }) => has(end === true ? tail : head, text, at));
  if (found !== undefined && !isFormat(found.is)) throw image.refusal(`it is ${found.is}`, whereOf(found), found.hint);
  const format = found !== undefined && isFormat(found.is) ? found.is : 'raw';
  if (said === undefined || said === format) return format;
  const where = found === undefined ? 'byte 0' : whereOf(found);
  const told = format === 'raw' ? `it does not begin as ${said} does` : `it is ${format} and not ${said}, as was said`;
  throw image.refusal(told, where, 'say what it is with `format:`, if that is what you want; else do not trust it');
}

type Sign = {
  /** A format of ours, or what it is in words. */
  readonly is: string;
  readonly at: number;
  readonly text: string;
  /** In the last sector of the file. */
  readonly end?: true;
  readonly hint?: string;
};

const unpackHint = 'name the disk image itself';
const packedHint =
  'it is unpacked on the way when its name ends in .xz, .zst, .gz or .bz2, and when it is compressed only once';
const convertHint = 'on a machine you trust: qemu-img convert -O qcow2 IMAGE DISK.qcow2';

// The magic numbers by which programs that guess tell formats, and those of what is mistaken for a disk.
const signs: readonly Sign[] = [
  { is: 'qcow2', at: 0, text: 'QFI\xfb' },
  { is: 'vmdk', at: 0, text: 'KDMV' },
  { is: 'vhdx', at: 0, text: 'vhdxfile' },
  { is: 'vdi', at: 64, text: '\x7f\x10\xda\xbe' },
  { is: 'a vmdk of another kind (COWD)', at: 0, text: 'COWD', hint: convertHint },
  { is: 'a description of other files (vmdk)', at: 0, text: '# Disk DescriptorFile', hint: convertHint },
  { is: 'encrypted (LUKS)', at: 0, text: 'LUKS\xba\xbe', hint: 'decrypt it first' },
  { is: 'a VHD', at: 0, text: 'conectix', hint: convertHint },
  { is: 'a VHD', at: 0, text: 'conectix', end: true, hint: convertHint },
  { is: 'a QED image', at: 0, text: 'QED\0', hint: convertHint },
  { is: 'a Parallels image', at: 0, text: 'WithoutFreeSpace', hint: convertHint },
  { is: 'a Parallels image', at: 0, text: 'WithouFreSpacExt', hint: convertHint },
  { is: 'a Bochs image', at: 0, text: 'Bochs Virtual HD Image', hint: convertHint },
  { is: 'a compressed loop image', at: 0, text: '#!/bin/sh\n#V2.0 Format', hint: convertHint },
  { is: 'an Apple disk image', at: 0, text: 'koly', end: true, hint: convertHint },
  { is: 'compressed (xz)', at: 0, text: '\xfd7zXZ\0', hint: packedHint },
  { is: 'compressed (zstd)', at: 0, text: '\x28\xb5\x2f\xfd', hint: packedHint },
  { is: 'compressed (gzip)', at: 0, text: '\x1f\x8b\x08', hint: packedHint },
  { is: 'compressed (bzip2)', at: 0, text: 'BZh', hint: packedHint },
  { is: 'an archive (tar, or OVA)', at: 257, text: 'ustar', hint: unpackHint },
  { is: 'an archive (zip)', at: 0, text: 'PK\x03\x04', hint: unpackHint },
  { is: 'an archive (7z)', at: 0, text: '7z\xbc\xaf\x27\x1c', hint: unpackHint },
  { is: 'a web page', at: 0, text: '<!DOCTYPE', hint: 'the server sent a page: name the address of the file itself' },
  { is: 'a web page', at: 0, text: '<html', hint: 'the server sent a page: name the address of the file itself' },
];

function isFormat(is: string): is is DiskFormat {
  return diskFormats.some((one) => one === is);
}

function has(bytes: Buffer, text: string, at: number): boolean {
  return bytes.toString('latin1', at, at + text.length) === text;
}

function whereOf({ at, end }: Sign): string {
  return end === true ? 'its last sector' : `byte ${at}`;
}
