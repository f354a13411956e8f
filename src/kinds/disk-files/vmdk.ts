import type { Context } from '../../core/context.ts';
import type { OpenFile } from '../../core/host.ts';
import { convertArgv, convertWithIdentity, idBytes, patchFile } from './convert.ts';

export type Subformat = 'streamOptimized' | 'sparse';

const words: Readonly<Record<Subformat, string>> = {
  // Without compat6 QEMU writes a hardware version that old hosts do not take; ESXi takes no disk for IDE.
  streamOptimized: 'subformat=streamOptimized,adapter_type=lsilogic,compat6',
  sparse: 'subformat=monolithicSparse,adapter_type=lsilogic',
};

/** The argv without what is patched afterwards. The description holds the base name of `output`. */
function vmdkArgv(subformat: Subformat, disk: string, output: string) {
  return convertArgv('vmdk', ['-o', words[subformat]], disk, output);
}

/** Write a raw disk as one vmdk file; its content id comes from the disk. */
export async function writeVmdk(subformat: Subformat, disk: string, output: string, ctx: Context): Promise<void> {
  const identity = await convertWithIdentity(vmdkArgv(subformat, disk, output), disk, ctx);
  await patchFile(output, ctx, (file) => setContentId(file, idBytes(identity, 'vmdk').readUInt32BE(0)));
}

const sector = 512;

/** Where the description is: sectors 28 and 36 of the header (VMware Virtual Disk Format 1.1, SparseExtentHeader). */
async function setContentId(file: OpenFile, id: number): Promise<void> {
  const header = await file.read(0, sector);
  const start = Number(header.readBigUInt64LE(28)) * sector;
  const length = Number(header.readBigUInt64LE(36)) * sector;
  await file.write(start, withContentId(await file.read(start, length), id));
}

/**
 * The description with another content id: eight digits, since QEMU leaves leading zeros out. It ends at its first zero
 * byte: QEMU puts a random id in the place of the one it began with and leaves the end of the longer text behind it.
 */
export function withContentId(description: Buffer, id: number): Buffer {
  const end = description.indexOf(0);
  const text = description.toString('latin1', 0, end === -1 ? description.length : end);
  // All ones stands for a disk without a parent, and zero for nothing.
  const known = id === 0 || id === 0xffffffff ? 1 : id;
  const bytes = Buffer.alloc(description.length);
  bytes.write(text.replace(/^CID=[0-9a-f]+$/m, `CID=${known.toString(16).padStart(8, '0')}`), 'latin1');
  return bytes;
}
