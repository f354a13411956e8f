import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { Ext4 } from '../../qemu/ext4.ts';
import { aclText } from '../../qemu/ext4-attributes.ts';
import type { TreeEntry } from '../../qemu/ext4-tree.ts';
import { openRoot } from '../../qemu/root-files.ts';
import { tarEnd, tarHeader, tarPadding } from './tar-header.ts';

export type Root = Ext4 & { close(): Promise<void> };

/** The root file system of a raw disk, to be closed; where it cannot be read, what to do. */
export async function rootOf(disk: string, { host }: Context): Promise<Root> {
  const file = await host.files.open(disk, 'read');
  const files = { read: (_: string, o: ReadOptions = {}) => file.read(o.offset ?? 0, o.length ?? 0) };
  const root = await openRoot(disk, files).catch(async (error) => {
    await file.close();
    throw error;
  });
  if (root !== undefined) return { ...root, close: () => file.close() };
  await file.close();
  throw new IngotError({
    code: 'SPEC_INVALID',
    message:
      'the disk has no root file system that tar, squashfs and iso can be made from: it must be ext4, and unmounted cleanly',
    hint: 'write `filesystem: ext4` in the image, or leave them out of its formats',
  });
}

type ReadOptions = { readonly offset?: number; readonly length?: number };

/**
 * A file system as a tar (pax), as it comes: names in order, numbers for owners, times in seconds, with hard links, device
 * nodes, attributes (capabilities) and access control lists. Sockets and lost+found are left out.
 */
export async function* tarOf(tree: AsyncIterable<TreeEntry>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const first = new Map<number, Buffer>();
  let written = 0;
  const emit = (part: Buffer) => {
    written += part.length;
    return part;
  };
  for await (const entry of tree) {
    signal.throwIfAborted();
    if (entry.type === 's' || entry.path === '/lost+found') continue;
    const name = nameOf(entry);
    const link = entry.type === 'd' ? undefined : first.get(entry.inode);
    for (const part of headersOf(entry, name, link)) yield emit(part);
    if (entry.links > 1 && entry.type !== 'd') first.set(entry.inode, link ?? name);
    if (entry.type !== 'f' || link !== undefined) continue;
    for await (const piece of entry.content()) yield emit(piece);
    yield emit(tarPadding(entry.size));
  }
  yield tarEnd(written);
}

/** `./etc/`, `./etc/hostname`, as bytes. */
function nameOf({ path, type }: TreeEntry): Buffer {
  return Buffer.from(`.${path}${type === 'd' ? '/' : ''}`, 'latin1');
}

const types: Readonly<Record<string, string>> = { f: '0', l: '2', c: '3', b: '4', d: '5', p: '6' };
const longest = 100;
const mostId = 8 ** 7 - 1;
const mostNumber = 8 ** 11 - 1;

/** The header of an entry, and before it a record of what does not fit there. `link`: the first name of the same file. */
function headersOf(entry: TreeEntry, name: Buffer, link: Buffer | undefined): readonly Buffer[] {
  const target = link ?? (entry.target === undefined ? undefined : Buffer.from(entry.target, 'latin1'));
  const size = entry.type === 'f' && link === undefined ? entry.size : 0;
  const { mode, uid, gid, changed } = entry;
  const records = [
    ...(name.length > longest ? [record('path', name)] : []),
    ...(target !== undefined && target.length > longest ? [record('linkpath', target)] : []),
    ...(size > mostNumber ? [record('size', Buffer.from(String(size)))] : []),
    ...(uid > mostId ? [record('uid', Buffer.from(String(uid)))] : []),
    ...(gid > mostId ? [record('gid', Buffer.from(String(gid)))] : []),
    ...(changed < 0 || changed > mostNumber ? [record('mtime', Buffer.from(String(changed)))] : []),
    ...(link === undefined ? attributeRecords(entry) : []),
  ];
  const header = tarHeader(
    {
      ...{ name: name.subarray(0, longest), type: link === undefined ? (types[entry.type] ?? '0') : '1', mode, size },
      ...{ uid: within(uid, mostId), gid: within(gid, mostId), mtime: within(changed, mostNumber) },
      ...(target === undefined ? {} : { link: target.subarray(0, longest) }),
      ...(entry.device === undefined ? {} : { device: entry.device }),
    },
    'posix',
  );
  return records.length === 0 ? [header] : [...paxEntry(Buffer.concat(records)), header];
}

/** What stands in the header beside a record that says more. */
function within(value: number, most: number): number {
  return value < 0 || value > most ? 0 : value;
}

/** As star, GNU tar and libarchive write them. */
function attributeRecords({ attributes }: TreeEntry): readonly Buffer[] {
  return [...attributes].map(([name, value]) => {
    if (name === 'system.posix_acl_access') return record('SCHILY.acl.access', Buffer.from(aclText(value)));
    if (name === 'system.posix_acl_default') return record('SCHILY.acl.default', Buffer.from(aclText(value)));
    return record(`SCHILY.xattr.${name}`, value);
  });
}

/** `LENGTH KEY=VALUE` and a newline; the length counts itself (pax, "Extended Header"). */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function paxEntry(records: Buffer): readonly Buffer[] {
  const header = tarHeader({ name: './PaxHeaders/entry', type: 'x', mode: 0o644, size: records.length }, 'posix');
  return [header, records, tarPadding(records.length)];
}
