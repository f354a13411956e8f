import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from '../core/context.ts';
import { type Digest, digestParts } from '../core/digests.ts';
import { type Fetched, type FetchRequest, fetchFile } from '../host/fetch.ts';
import { copyLocal, fileDigest } from '../host/local-file.ts';
import { withLock } from '../host/lock.ts';
import type { StorePaths } from './paths.ts';

/** `http:`, `https:`, or `file:` for one of this machine, which is copied. */
export type Input = { readonly url: string } & Digest;

/** Far more than any input is; a server that never stops is stopped here. */
const mostBytes = 256 * 1024 ** 3;
const progressMs = 200;

/**
 * The path of an input whose bytes have this digest, fetched when it is not there. However many ask at once, in however
 * many processes, one fetches and the others wait. A kept file whose bytes changed is set aside and fetched again.
 */
export async function fetchInput(
  paths: Pick<StorePaths, 'inputs' | 'locks'>,
  input: Input,
  ctx: Context,
  fetch: (request: FetchRequest) => Promise<Fetched> = bring,
): Promise<string> {
  const { hex } = digestParts(input);
  const path = join(paths.inputs, hex);
  if (await isWhole(path, input, ctx)) return path;
  const onWait = () => ctx.emit({ type: 'log', id: ctx.step, line: `waiting for another download of ${hex}` });
  const lock = join(paths.locks, `input-${hex}.lock`);
  const found = withLock(lock, { signal: ctx.signal, onWait }, async () => {
    if (await isWhole(path, input, ctx)) return path;
    await setAside(path, ctx);
    await fetch({
      url: input.url,
      digest: input,
      to: path,
      maxBytes: mostBytes,
      signal: ctx.signal,
      onProgress: tellProgress(ctx),
      onRetry: (why) => ctx.emit({ type: 'log', id: ctx.step, line: `${why}; trying again` }),
    });
    return path;
  });
  return found.catch((error: unknown) => {
    ctx.signal.throwIfAborted();
    throw error;
  });
}

/** Lists of checksums and signatures are small. */
const mostReadBytes = 16 * 1024 * 1024;

/** A small file as it is at this moment, without a digest to know it by; nothing of it is kept. */
export async function readNow(paths: Pick<StorePaths, 'work'>, url: string, ctx: Context): Promise<Buffer> {
  const to = join(paths.work, `now-${ctx.host.randomBytes(8).toString('hex')}`);
  try {
    const onRetry = (why: string) => ctx.emit({ type: 'log', id: ctx.step, line: `${why}; trying again` });
    await bring({ url, to, maxBytes: mostReadBytes, signal: ctx.signal, onRetry });
    return await ctx.host.files.read(to);
  } finally {
    for (const name of [to, `${to}.part`, `${to}.part.json`]) await ctx.host.files.remove(name);
  }
}

function bring(request: FetchRequest): Promise<Fetched> {
  const isLocal = request.url.startsWith('file:');
  return isLocal ? copyLocal({ ...request, from: fileURLToPath(request.url) }) : fetchFile(request);
}

async function isWhole(path: string, input: Input, ctx: Context): Promise<boolean> {
  const { files } = ctx.host;
  const found = await files.stat(path);
  if (found?.kind !== 'file') return false;
  // Marked first, so that whoever clears old inputs away sees that this one is wanted.
  const now = ctx.host.now() / 1000;
  await utimes(path, now, now).catch(() => undefined);
  const { algorithm, hex } = digestParts(input);
  return (await fileDigest(path, algorithm, ctx.signal)) === hex;
}

/** Whatever stands in the place of an input but is not it, is kept for a look and out of the way. */
async function setAside(path: string, ctx: Context): Promise<void> {
  const { files } = ctx.host;
  if ((await files.stat(path)) === undefined) return;
  const aside = `${path}.damaged`;
  await files.remove(aside);
  await files.rename(path, aside);
  ctx.emit({
    type: 'warning',
    message: `a stored input was damaged and is fetched again: ${path}`,
    hint: `the damaged bytes are kept as ${aside}; check the disk when this happens twice`,
  });
}

/** Tell how far the running step is, a few times a second. */
export function tellProgress(ctx: Context): (done: number, total: number | undefined) => void {
  let told = -Infinity;
  return (done, total) => {
    const now = ctx.host.monotonic();
    if (done !== total && now - told < progressMs) return;
    told = now;
    ctx.emit({ type: 'progress', id: ctx.step, done, ...(total === undefined ? {} : { total }), unit: 'bytes' });
  };
}
