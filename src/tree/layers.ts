import { join } from 'node:path';
import type { RunOptions } from '../core/host.ts';
import type { TreeSession } from '../core/kinds.ts';
import { withRoom } from '../core/space.ts';

/** A tree at one moment: each path (`./etc/fstab`) with what changes whenever the file changes. */
export type Snapshot = ReadonlyMap<string, string>;

/**
 * What a step did, by OCI layer rules: the entries to put and the paths that are gone. Removals stand in the layer's
 * record and not as `.wh.` files, so that a layer is an ordinary tar.
 */
export type Difference = { readonly changed: readonly string[]; readonly removed: readonly string[] };

/** Inode and change time: any write, chmod, chown or rename gives another change time, and nothing can set it back. */
export async function takeSnapshot(tree: TreeSession): Promise<Snapshot> {
  const argv = ['find', tree.root, '-mindepth', '1', '-printf', '%y%i.%C@\\t./%P\\0'] as const;
  const { stdout } = await tree.run({ argv }, listing);
  return parseSnapshot(stdout);
}

/** From records `TYPE INODE.CTIME <tab> PATH <NUL>`. */
export function parseSnapshot(text: string): Snapshot {
  const entries = text.split('\0').filter((record) => record !== '');
  return new Map(
    entries.map((record) => {
      const tab = record.indexOf('\t');
      return [record.slice(tab + 1), record.slice(0, tab)];
    }),
  );
}

/** What lies between two moments, sorted; a path that changed its type counts as removed and put. */
export function difference(before: Snapshot, after: Snapshot): Difference {
  const changed = [...after].filter(([path, mark]) => before.get(path) !== mark).map(([path]) => path);
  const removed = [...before].filter(([path, mark]) => (after.get(path)?.[0] ?? '') !== mark[0]).map(([path]) => path);
  const gone = new Set(removed);
  const highest = removed.filter((path) => !gone.has(path.slice(0, path.lastIndexOf('/'))));
  return { changed: changed.sort(byBytes), removed: highest.sort(byBytes) };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Set every time after the epoch back to it, as unpacking a layer would: fresh and restored trees look the same. */
export async function clampTimes(tree: TreeSession, epoch: number): Promise<void> {
  const script = 'find "$1" -newermt "@$2" -exec touch -h -d "@$2" {} +';
  await tree.run({ argv: ['sh', '-c', script, 'clamp', tree.root, String(epoch)] }, quiet);
}

/**
 * Copy these entries aside, then compress them into `file`, a path of the build machine. Resolves when the tree may
 * change again; `packed` when the file is whole.
 */
export async function packLayer(
  tree: TreeSession,
  paths: readonly string[],
  file: string,
): Promise<{ readonly packed: Promise<void> }> {
  const aside = `${tree.scratch}/${paths.length}-${++asides}.tar`;
  const tar = ['tar', ...tarOptions, '--no-recursion', '-C', tree.root, '-cf', aside, '--null', '-T', '-'] as const;
  await tree.run({ argv: [...tar] }, { stdin: paths.map((path) => `${path}\0`).join('') });
  const size = async () => Number((await tree.run({ argv: ['stat', '-c', '%s', aside] }, quiet)).stdout);
  const pack = () => tree.run({ argv: ['zstd', '-q', '-1', '-T0', '--rm', '-o', file, aside] }, {});
  const packed = withRoom(file, size, pack).then(() => undefined);
  // The caller awaits it later; until then a failure is not unhandled.
  packed.catch(() => undefined);
  return { packed };
}

let asides = 0;

/** Put a layer on the tree: removals first, then the entries. */
export async function applyLayer(tree: TreeSession, file: string, removed: readonly string[]): Promise<void> {
  if (removed.length > 0) {
    const argv = ['sh', '-c', 'cd "$0" && xargs -0 rm -rf --', tree.root] as const;
    await tree.run({ argv }, { stdin: removed.map((path) => `${path}\0`).join('') });
  }
  const argv = ['tar', ...tarOptions, '-I', 'zstd', '-p', '--same-owner', '-C', tree.root, '-xf', file] as const;
  await tree.run({ argv: [...argv] }, {});
}

/** The bytes that the tree takes. */
export async function treeBytes(tree: TreeSession): Promise<number> {
  const { stdout } = await tree.run({ argv: ['du', '-s', '-B1', tree.root] }, quiet);
  return Number.parseInt(stdout, 10);
}

/** One line per entry of the tree, sorted: type, mode, owner, size, SHA-256 or link target, path; for comparing builds. */
export async function listContents(tree: TreeSession): Promise<string> {
  const program = join(import.meta.dirname, '..', 'host', 'list-tree.ts');
  return (await tree.run({ argv: [process.execPath, program, tree.root] }, listing)).stdout;
}

const tarOptions = ['--format=pax', '--numeric-owner', '--xattrs', '--xattrs-include=*'] as const;
const quiet: RunOptions = { onLine: () => undefined };
/** A listing that lost its first lines would be taken for a tree that lost its files; a million entries take 150 MB. */
const listing: RunOptions = { ...quiet, keepBytes: 400 * 1024 * 1024 };
