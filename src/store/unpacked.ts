import { readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { type Digest, digestParts } from '../core/digests.ts';
import { IngotError } from '../core/errors.ts';
import { withRoom } from '../core/space.ts';
import { withLock } from '../host/lock.ts';
import { type Content, contentDigest, everything } from '../host/sparse.ts';
import { type Compression, compressionOf, compressions, limitsFor, unpackFile } from '../host/unpack.ts';
import { writeDurable } from './durable.ts';
import { tellProgress } from './inputs.ts';
import { keptFile } from './kept.ts';
import type { StorePaths } from './paths.ts';

export type Packed = {
  /** As a person knows it, with its endings. */
  readonly name: string;
  /** Of the file as it is, compressed. */
  readonly digest: Digest;
  /** Gives its path, where it is needed still. */
  readonly fetch: () => Promise<string>;
};

/** What was written of an unpacked file when it was made. */
type Made = Omit<Content, 'dataBytes'> & {
  /** Of 512 bytes, as the file system counts them. */
  readonly blocks: number;
};

/**
 * The path of what a compressed file holds, unpacked once for all builds; the file itself when it is not compressed. Of a
 * kept one whose bytes changed another is made.
 */
export async function unpackedFile(
  paths: Pick<StorePaths, 'kept' | 'locks' | 'work'>,
  packed: Packed,
  ctx: Context,
): Promise<string> {
  const { name, digest } = packed;
  const key = `unpacked${digestParts(digest).hex}`;
  const kept = join(paths.kept, key);
  const record = `${kept}.content`;
  const onWait = () => ctx.emit({ type: 'log', id: ctx.step, line: `waiting for another unpacking of ${name}` });
  // Whoever takes a damaged one away must not take away what somebody else has just made.
  return withLock(join(paths.locks, `${key}.lock`), { signal: ctx.signal, onWait }, async () => {
    if (await isWhole(kept, record, packed, ctx)) return keptFile(paths, key, nothing, ctx);
    await rm(kept, { force: true });
    const path = await packed.fetch();
    const compression = await compressionOf(path);
    if (compression === undefined) return plainFile(path, name);
    return keptFile(paths, key, (to) => make(paths, { name, path, compression, to, record }, ctx), ctx);
  });
}

const nothing = async () => undefined;

function plainFile(path: string, name: string): string {
  const ending = compressions.find((one) => name.endsWith(`.${one}`));
  if (ending === undefined) return path;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `${name} is not compressed as its name says: it does not begin as .${ending} files do`,
    hint: 'look at what the file is; a server may have sent something else in its place',
  });
}

type Making = {
  readonly name: string;
  readonly path: string;
  readonly compression: Compression;
  readonly to: string;
  readonly record: string;
};

async function make(paths: Pick<StorePaths, 'work'>, making: Making, ctx: Context): Promise<void> {
  const { name, path, compression, to, record } = making;
  const { size } = await stat(path);
  const tell = tellProgress(ctx);
  ctx.emit({ type: 'log', id: ctx.step, line: `unpacking ${name}` });
  // Of a process that was killed.
  await rm(to, { force: true });
  const request = { from: path, to, compression, name, limits: limitsFor(size), signal: ctx.signal };
  const onProgress = (done: number) => tell(done, size);
  const { bytes, ranges, digest } = await withRoom(to, size, () => unpackFile({ ...request, onProgress }));
  const made: Made = { bytes, ranges, digest, blocks: (await stat(to)).blocks };
  await writeDurable({ path: record, staging: paths.work }, JSON.stringify(made));
}

/** Of one without its record, which may be cleared away before it, nobody can tell: then it is not. */
async function isWhole(path: string, record: string, { name }: Packed, ctx: Context): Promise<boolean> {
  const made = await readFile(record, 'utf8').then(parseMade, () => undefined);
  const found = await stat(path).catch(() => undefined);
  if (made === undefined || found === undefined) return false;
  const now = ctx.host.now() / 1000;
  await utimes(record, now, now).catch(() => undefined);
  // Holes are read only where something may have been written into them.
  const ranges = found.blocks > made.blocks ? everything(made.bytes) : made.ranges;
  const isSame = found.size === made.bytes && (await contentDigest(path, ranges, ctx.signal)) === made.digest;
  if (isSame) return true;
  const message = `a stored input was damaged and is unpacked again: ${name}`;
  ctx.emit({ type: 'warning', message, hint: 'check the disk when this happens twice' });
  return false;
}

function parseMade(text: string): Made | undefined {
  try {
    return JSON.parse(text) as Made;
  } catch {
    return undefined;
  }
}
