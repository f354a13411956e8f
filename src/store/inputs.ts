import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { type Fetched, type FetchRequest, fetchFile } from '../host/fetch.ts';
import { withLock } from '../host/lock.ts';
import type { StorePaths } from './paths.ts';

export type Input = { readonly url: string; readonly sha256: string };

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
  fetch: (request: FetchRequest) => Promise<Fetched> = fetchFile,
): Promise<string> {
  const path = join(paths.inputs, input.sha256);
  if (await isWhole(path, input, ctx)) return path;
  const onWait = () => ctx.emit({ type: 'log', id: ctx.step, line: `waiting for another download of ${input.sha256}` });
  const lock = join(paths.locks, `input-${input.sha256}.lock`);
  const found = withLock(lock, { signal: ctx.signal, onWait }, async () => {
    if (await isWhole(path, input, ctx)) return path;
    await setAside(path, ctx);
    await fetch({
      ...input,
      to: path,
      maxBytes: mostBytes,
      signal: ctx.signal,
      onProgress: progress(ctx),
      onRetry: (why) => ctx.emit({ type: 'log', id: ctx.step, line: `${why}; trying again` }),
    });
    return path;
  });
  return found.catch((error: unknown) => {
    ctx.signal.throwIfAborted();
    throw error;
  });
}

async function isWhole(path: string, input: Input, ctx: Context): Promise<boolean> {
  const { files } = ctx.host;
  const found = await files.stat(path);
  if (found?.kind !== 'file') return false;
  // Marked first, so that whoever clears old inputs away sees that this one is wanted.
  const now = ctx.host.now() / 1000;
  await utimes(path, now, now).catch(() => undefined);
  return (await files.sha256(path, ctx.signal)) === input.sha256;
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

function progress(ctx: Context): (done: number, total: number | undefined) => void {
  let told = -Infinity;
  return (done, total) => {
    const now = ctx.host.monotonic();
    if (done !== total && now - told < progressMs) return;
    told = now;
    ctx.emit({ type: 'progress', id: ctx.step, done, ...(total === undefined ? {} : { total }), unit: 'bytes' });
  };
}
