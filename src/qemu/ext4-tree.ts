import { type Ext4Entry, entryOf, inodeAt, inodeOf, namesIn, runsOf, type Volume } from './ext4.ts';
import { type Attributes, attributesOf } from './ext4-attributes.ts';

/** Something in a file system, with all that it takes to make it again elsewhere. */
export type TreeEntry = Ext4Entry & {
  readonly inode: number;
  /** How many names it has. */
  readonly links: number;
  readonly device?: { readonly major: number; readonly minor: number };
  readonly attributes: Attributes;
  /** The bytes of a file, in pieces of at most 1 MiB. */
  content(): AsyncGenerator<Buffer>;
};

/**
 * Everything in a file system, its root first (its path is empty), folders before what they hold, names in order of their
 * bytes. `from`: only what is at this path, which has no links in it, and below; nothing where there is nothing.
 */
export async function* ext4Tree(volume: Volume, from = ''): AsyncGenerator<TreeEntry> {
  const number = await inodeAt(volume, from);
  if (number !== undefined) yield* walk(volume, number, from);
}

async function* walk(volume: Volume, number: number, path: string): AsyncGenerator<TreeEntry> {
  const inode = await inodeOf(volume, number);
  const entry = await entryOf(volume, path, inode);
  const device = entry.type === 'c' || entry.type === 'b' ? { device: deviceOf(inode) } : {};
  const attributes = await attributesOf(volume, inode);
  const content = () => piecesOf(volume, inode, entry.size);
  yield { ...entry, ...device, inode: number, links: inode.readUInt16LE(0x1a), attributes, content };
  if (entry.type !== 'd') return;
  const names = [...(await namesIn(volume, inode))].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, child] of names) yield* walk(volume, child, `${path}/${name}`);
}

/** Two ways to write it: eight bits each, or with more of them (linux/include/linux/kdev_t.h). */
function deviceOf(inode: Buffer): { readonly major: number; readonly minor: number } {
  const [old, larger] = [inode.readUInt32LE(0x28), inode.readUInt32LE(0x2c)];
  if (old !== 0) return { major: (old >> 8) & 0xff, minor: old & 0xff };
  return { major: (larger >> 8) & 0xfff, minor: (larger & 0xff) | ((larger >>> 12) & 0xfff00) };
}

const pieceBytes = 1024 * 1024;

async function* piecesOf(volume: Volume, inode: Buffer, size: number): AsyncGenerator<Buffer> {
  const { blockSize } = volume;
  let done = 0;
  for await (const { from, block, count } of runsOf(volume, inode)) {
    const start = from * blockSize;
    if (start >= size) break;
    yield* zeros(start - done);
    const end = Math.min(size, start + count * blockSize);
    for (let at = start; at < end; at += pieceBytes) {
      yield await volume.read(block * blockSize + at - start, Math.min(pieceBytes, end - at));
    }
    done = end;
  }
  yield* zeros(size - done);
}

function* zeros(length: number): Generator<Buffer> {
  for (let at = 0; at < length; at += pieceBytes) yield Buffer.alloc(Math.min(pieceBytes, length - at));
}
