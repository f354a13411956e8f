import { createHash } from 'node:crypto';
import { type BigIntStats, constants, type Dirent } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../core/manifest.ts';
import { shelves } from './paths.ts';
import { isServedName } from './served-names.ts';

/** A file that is open: what it says of itself and its bytes belong together, whatever is published meanwhile. */
export type ServedFile = {
  readonly kind: 'file';
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Never the same for other bytes under this name. */
  readonly tag: string;
  /** Recorded, or read from a small file just now. */
  readonly sha256?: string;
  /** Bytes from there on, as many as `into` takes; gives how many there were. */
  read(this: void, into: Buffer, position: number): Promise<number>;
  text(): Promise<string>;
  close(this: void): Promise<void>;
};

export type ServedEntry = {
  readonly name: string;
  readonly type: 'file' | 'directory';
  readonly modifiedMs: number;
  /** Of files. */
  readonly bytes?: number;
  readonly sha256?: string;
};

export type ServedFolder = { readonly kind: 'folder'; entries(): Promise<readonly ServedEntry[]> };

export type ServedTree = {
  /** What a path of names stands for. Each name is looked up in the listing of its folder; no path is made from them. */
  find(names: readonly string[]): Promise<ServedFile | ServedFolder | undefined>;
};

/** Where in the tree something really lies, as names from its root. */
type Spot = { readonly names: readonly string[]; readonly type: 'file' | 'directory' };

/** The artifacts as a web server sees them. */
export function openServedTree(root: string): ServedTree {
  const around = { root, listings: new Map(), digests: new Map() };
  return {
    async find(names) {
      let spot: Spot | undefined = { names: [], type: 'directory' };
      for (const name of names) {
        if (spot?.type !== 'directory' || !isServedName(name)) return undefined;
        spot = await below(around, spot, name);
      }
      if (spot === undefined) return undefined;
      const found = spot;
      if (found.type === 'file') return openFile(around, found);
      return { kind: 'folder', entries: () => entriesOf(around, found) };
    },
  };
}

type Known<T> = { readonly identity: string; readonly value: T };
type Around = {
  readonly root: string;
  readonly listings: Map<string, Known<ReadonlyMap<string, Dirent>>>;
  readonly digests: Map<string, Known<ReadonlyMap<string, string>>>;
};

const mostKnown = 4096;
/** A folder that was changed so shortly before it was read may change again without its times showing it. */
const racyMs = 2_000;

async function below(around: Around, folder: Spot, name: string): Promise<Spot | undefined> {
  const entry = (await listing(around, folder.names)).get(name);
  if (entry === undefined) return undefined;
  const names = [...folder.names, entry.name];
  if (entry.isDirectory()) return { names, type: 'directory' };
  if (entry.isFile()) return { names, type: 'file' };
  if (!entry.isSymbolicLink()) return undefined;
  const target = await readlink(join(around.root, ...names)).catch(() => '');
  return follow(around, folder.names, target);
}

/** Where the links of the tree may lead: to builds, to files of builds, and to files by their digest. */
const reachable = [
  new RegExp(`^(?:${shelves.join('|')})/[^/]+/\\.builds/[^/]+(?:/[^/]+)?$`),
  /^blobs\/sha256\/[0-9a-f]{64}$/,
];

async function follow(around: Around, from: readonly string[], target: string): Promise<Spot | undefined> {
  const wanted = [...from];
  for (const part of target.split('/')) {
    if (part === '' || part === '.') return undefined;
    if (part !== '..') wanted.push(part);
    else if (wanted.pop() === undefined) return undefined;
  }
  if (!reachable.some((pattern) => pattern.test(wanted.join('/')))) return undefined;
  let spot: Spot = { names: [], type: 'directory' };
  for (const name of wanted) {
    if (spot.type !== 'directory') return undefined;
    const entry = (await listing(around, spot.names)).get(name);
    if (entry === undefined || !(entry.isDirectory() || entry.isFile())) return undefined;
    spot = { names: [...spot.names, entry.name], type: entry.isDirectory() ? 'directory' : 'file' };
  }
  return spot;
}

async function listing({ root, listings }: Around, names: readonly string[]): Promise<ReadonlyMap<string, Dirent>> {
  const path = join(root, ...names);
  const before = await lstat(path, { bigint: true }).catch(() => undefined);
  if (before?.isDirectory() !== true) return new Map();
  return remembered(listings, path, before, async () => {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    return new Map(entries.map((entry) => [entry.name, entry]));
  });
}

async function remembered<T>(
  known: Map<string, Known<T>>,
  path: string,
  facts: BigIntStats,
  make: () => Promise<T>,
): Promise<T> {
  const identity = identityOf(facts);
  const found = known.get(path);
  if (found?.identity === identity) return found.value;
  const value = await make();
  if (known.size >= mostKnown) known.clear();
  if (Date.now() - Number(facts.ctimeMs) > racyMs) known.set(path, { identity, value });
  return value;
}

function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].map((one) => one.toString(36)).join('-');
}

/** What is recorded of a file: by its own name, or in the manifest of its build. */
async function recordedDigest(around: Around, names: readonly string[]): Promise<string | undefined> {
  const [top, , third, , file] = names;
  if (top === 'blobs') return names.length === 3 ? third : undefined;
  if (third !== '.builds' || file === undefined) return undefined;
  const path = join(around.root, ...names.slice(0, 4), 'manifest.json');
  const facts = await stat(path, { bigint: true }).catch(() => undefined);
  if (facts === undefined) return undefined;
  return (await remembered(around.digests, path, facts, () => digestsIn(path))).get(file);
}

async function digestsIn(path: string): Promise<ReadonlyMap<string, string>> {
  try {
    const { artifacts, sidecars = [] } = JSON.parse(await readFile(path, 'utf8')) as Manifest;
    return new Map([...artifacts, ...sidecars].map(({ file, sha256 }) => [file, sha256]));
  } catch {
    return new Map();
  }
}

/** Files that are read to know their digest. */
const smallBytes = 1024 * 1024;

async function openFile(around: Around, { names }: Spot): Promise<ServedFile | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(join(around.root, ...names), flags).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const facts = await handle.stat({ bigint: true });
    if (!facts.isFile()) {
      await handle.close();
      return undefined;
    }
    const recorded = await recordedDigest(around, names);
    const sha256 = recorded ?? (facts.size <= smallBytes ? await digestOf(handle) : undefined);
    return servedFile(handle, facts, sha256);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function servedFile(handle: FileHandle, facts: BigIntStats, sha256: string | undefined): ServedFile {
  return {
    kind: 'file',
    bytes: Number(facts.size),
    modifiedMs: Number(facts.mtimeMs),
    // Without a digest: nothing can set the time of change (ctime, inode(7)).
    tag: sha256 === undefined ? `stat:${identityOf(facts)}` : `sha256:${sha256}`,
    ...(sha256 === undefined ? {} : { sha256 }),
    read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
    text: async () => (await wholeOf(handle)).toString(),
    close: () => handle.close(),
  };
}

async function digestOf(handle: FileHandle): Promise<string> {
  return createHash('sha256')
    .update(await wholeOf(handle))
    .digest('hex');
}

/** From its beginning, wherever it was read before. */
async function wholeOf(handle: FileHandle): Promise<Buffer> {
  const { size } = await handle.stat();
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0);
  return buffer.subarray(0, bytesRead);
}

async function entriesOf(around: Around, folder: Spot): Promise<readonly ServedEntry[]> {
  const names = [...(await listing(around, folder.names)).keys()].filter(isServedName);
  const found = await Promise.all(names.map((name) => entryOf(around, folder, name)));
  const rank = ({ type }: ServedEntry) => (type === 'directory' ? 0 : 1);
  return found.filter((entry) => entry !== undefined).sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

async function entryOf(around: Around, folder: Spot, name: string): Promise<ServedEntry | undefined> {
  const spot = await below(around, folder, name);
  const facts = spot && (await lstat(join(around.root, ...spot.names)).catch(() => undefined));
  if (spot === undefined || facts === undefined) return undefined;
  const { type } = spot;
  if (type === 'directory') return { name, type, modifiedMs: facts.mtimeMs };
  const sha256 = await recordedDigest(around, spot.names);
  const recorded = sha256 === undefined ? {} : { sha256 };
  return { name, type, modifiedMs: facts.mtimeMs, bytes: facts.size, ...recorded };
}
