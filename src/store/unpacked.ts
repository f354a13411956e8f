import { readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { type Digest, digestParts } from '../core/digests.ts';
import { IngotError } from '../core/errors.ts';
import { withRoom } from '../core/space.ts';
import { contentDigest } from '../host/sparse.ts';
import { type Compression, compressionOf, compressions, limitsFor, unpackFile } from '../host/unpack.ts';
import { writeDurable } from './durable.ts';
import { tellProgress } from './inputs.ts';
import { keptFile } from './kept.ts';
import type { StorePaths } from './paths.ts';

export type Packed = {
  readonly path: string;
  /** Of the file as it is, compressed. */
  readonly digest: Digest;
  /** As a person knows it, with its endings. */
  readonly name: string;
};

/**
 * The path of what a compressed file holds, unpacked once for all builds; the file itself when it is not compressed. Of a
 * kept one whose bytes changed another is made.
 */
export async function unpackedFile(
  paths: Pick<StorePaths, 'kept' | 'locks' | 'work'>,
  packed: Packed,
  ctx: Context,
  limits = limitsFor,
): Promise<string> {
  const compression = await compressionOf(packed.path);
  if (compression === undefined) return plainFile(packed);
  const key = `unpacked${digestParts(packed.digest).hex}`;
  const record = join(paths.kept, `${key}.content`);
  let made = false;
  const make = async (to: string) => {
    made = true;
    await rm(to, { force: true });
    const { digest } = await unpack(packed, { to, compression, limits }, ctx);
    await writeDurable({ path: record, staging: paths.work }, digest);
  };
  const path = await keptFile(paths, key, make, ctx);
  const state = made ? 'whole' : await stateOf(path, record, ctx);
  if (state === 'whole') return path;
  if (state === 'damaged') {
    const message = `a stored input was damaged and is unpacked again: ${packed.name}`;
    ctx.emit({ type: 'warning', message, hint: 'check the disk when this happens twice' });
  }
  await rm(path, { force: true });
  return keptFile(paths, key, make, ctx);
}

function plainFile({ path, name }: Packed): string {
  const ending = compressions.find((one) => name.endsWith(`.${one}`));
  if (ending === undefined) return path;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `${name} is not compressed as its name says: it does not begin as .${ending} files do`,
    hint: 'look at what the file is; a server may have sent something else in its place',
  });
}

async function unpack(
  { path, name }: Packed,
  how: { readonly to: string; readonly compression: Compression; readonly limits: typeof limitsFor },
  ctx: Context,
) {
  const { size } = await stat(path);
  const tell = tellProgress(ctx);
  ctx.emit({ type: 'log', id: ctx.step, line: `unpacking ${name}` });
  const request = {
    ...how,
    from: path,
    name,
    limits: how.limits(size),
    signal: ctx.signal,
    onProgress: (done: number) => tell(done, size),
  };
  return withRoom(how.to, size, () => unpackFile(request));
}

/** `unknown`: nobody can tell, as when its record was cleared away before it. */
async function stateOf(path: string, record: string, ctx: Context): Promise<'whole' | 'damaged' | 'unknown'> {
  const expected = await readFile(record, 'utf8').catch(() => undefined);
  if (expected === undefined) return 'unknown';
  const now = ctx.host.now() / 1000;
  await utimes(record, now, now).catch(() => undefined);
  return (await contentDigest(path, ctx.signal)) === expected ? 'whole' : 'damaged';
}
