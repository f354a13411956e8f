import { contentOf, inodeOf, type Volume } from './ext4.ts';

/** Attributes of a file by their full names: `security.capability`. */
export type Attributes = ReadonlyMap<string, Buffer>;

const magic = 0xea020000;

/** What the number before a name stands for (linux/fs/ext4/xattr.h, EXT4_XATTR_INDEX_*). */
const prefixes: Readonly<Record<number, string>> = {
  0: '',
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  6: 'security.',
  7: 'system.',
};

/** All attributes of an inode, sorted: those within it and those in a block of their own. */
export async function attributesOf(volume: Volume, inode: Buffer): Promise<Attributes> {
  const found = new Map<string, Buffer>();
  if (inode.length > 128) {
    const start = 128 + inode.readUInt16LE(0x80);
    if (start + 4 <= inode.length && inode.readUInt32LE(start) === magic) {
      await readEntries(volume, { bytes: inode.subarray(start + 4), from: 0 }, found);
    }
  }
  const block = inode.readUInt32LE(0x68) + inode.readUInt16LE(0x76) * 2 ** 32;
  if (block !== 0) {
    const bytes = await volume.read(block * volume.blockSize, volume.blockSize);
    if (bytes.readUInt32LE(0) !== magic) throw new Error('the attributes of a file are damaged');
    await readEntries(volume, { bytes, from: 32 }, found);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function readEntries(
  volume: Volume,
  { bytes, from }: { readonly bytes: Buffer; readonly from: number },
  found: Map<string, Buffer>,
): Promise<void> {
  for (let at = from; at + 16 <= bytes.length && bytes.readUInt32LE(at) !== 0; ) {
    const length = bytes[at] ?? 0;
    const name = `${prefixes[bytes[at + 1] ?? 0] ?? ''}${bytes.toString('latin1', at + 16, at + 16 + length)}`;
    const [offset, elsewhere, size] = [
      bytes.readUInt16LE(at + 2),
      bytes.readUInt32LE(at + 4),
      bytes.readUInt32LE(at + 8),
    ];
    const value =
      elsewhere === 0
        ? Buffer.from(bytes.subarray(offset, offset + size))
        : await contentOf(volume, await inodeOf(volume, elsewhere));
    found.set(name, value);
    at += (16 + length + 3) & ~3;
  }
}

const who: Readonly<Record<number, string>> = {
  1: 'user:',
  2: 'user:',
  4: 'group:',
  8: 'group:',
  16: 'mask:',
  32: 'other:',
};

/** An access control list as ext4 stores it (linux/fs/ext4/acl.h), as text in its short form (acl(5)), with numbers. */
export function aclText(stored: Buffer): string {
  const entries: string[] = [];
  for (let at = 4; at + 4 <= stored.length; ) {
    const [tag, bits] = [stored.readUInt16LE(at), stored.readUInt16LE(at + 2)];
    const isNamed = tag === 2 || tag === 8;
    const id = isNamed ? String(stored.readUInt32LE(at + 4)) : '';
    const may = `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;
    entries.push(`${who[tag] ?? ''}${id}:${may}`);
    at += isNamed ? 8 : 4;
  }
  return entries.join(',');
}
