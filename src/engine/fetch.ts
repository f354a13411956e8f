import { basename, dirname, join, resolve } from 'node:path';
import { type ChunkIndex, idOf, indexEnding, parseIndex } from '../chunks/index-file.ts';
import type { Io } from '../cli/engine.ts';
import type { Fetched, FetchRequest } from '../cli/requests/delivery.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { withRoom } from '../core/space.ts';
import { fetchFile } from '../host/fetch.ts';
import { ChangedError, fetchRanges, NoRangesError } from '../host/fetch-ranges.ts';
import { withLock } from '../host/lock.ts';
import { withStep } from '../run/workshop.ts';
import { sync } from '../store/durable.ts';
import { Assembly } from './assembly.ts';
import { numbered } from './numbered.ts';
import type { Home } from './publish.ts';
import { takeFrom } from './seeds.ts';

/**
 * Fetch a file: only the chunks that no file here has where the server has a list of them, else all of it. It appears
 * whole, of the digest that it must have, or not at all; what an earlier run brought is gone on with.
 */
export async function fetchDelivered(home: Home, request: FetchRequest, io: Io): Promise<Fetched> {
  const { host, paths, cwd } = home;
  const output = resolve(cwd, request.output ?? nameOf(request.url));
  if ((await host.files.stat(dirname(output)))?.kind !== 'directory') {
    throw new IngotError({ code: 'USAGE', message: `there is no folder ${dirname(output)}`, hint: 'make it first' });
  }
  const seeds = request.seeds.map((seed) => resolve(cwd, seed));
  const wanted = { ...request, output, seeds };
  const ctx: Context = { host, signal: io.signal, step: 'fetch', emit: numbered(io, host, 'fetch') };
  const lock = join(paths.locks, `fetch-${idOf(Buffer.from(output))}.lock`);
  return withLock(lock, { signal: io.signal }, async () => {
    const { value } = await withStep({ id: 'fetch', title: `fetch ${nameOf(request.url)}` }, ctx, (inside) =>
      fetchOnce(wanted, inside).catch((error: unknown) => {
        if (!(error instanceof ChangedError)) throw error;
        // It was published anew while we looked: what is there now fits together.
        return fetchOnce(wanted, inside);
      }),
    );
    return value;
  }).catch((error: unknown) => {
    if (!(error instanceof ChangedError)) throw error;
    const hint = 'whoever serves it must publish the file, its list of chunks and its checksum together; try again';
    const message = `${request.url} and its list of chunks do not fit together: ${error.message}`;
    throw new IngotError({ code: 'INPUT_REFUSED', message, hint, cause: error });
  });
}

function nameOf(url: string): string {
  const name = URL.canParse(url) ? basename(decoded(new URL(url).pathname)) : '';
  if (/^https?:/.test(url) && name !== '' && name !== '..' && !/[\x00-\x1f\x7f]/.test(name)) return name;
  throw new IngotError({ code: 'USAGE', message: `${url} is not the http or https address of a file` });
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

type Wanted = FetchRequest & { readonly output: string };

async function fetchOnce(wanted: Wanted, ctx: Context): Promise<Fetched> {
  const told = await tellings(wanted, ctx);
  const { index, sha256 } = told;
  if (index === undefined) return fetchWhole(wanted, told, ctx);
  if (wanted.sha256 !== undefined && wanted.sha256 !== index.sha256) {
    const message = `${wanted.url} is not the file that was asked for: its SHA-256 is ${index.sha256}`;
    throw new IngotError({ code: 'INPUT_REFUSED', message, hint: 'nothing was fetched' });
  }
  if (sha256 !== undefined && sha256 !== index.sha256) throw new ChangedError('its checksum is of another file');
  return withRoom(wanted.output, index.bytes, () => assemble(wanted, { ...told, index }, ctx)).catch(
    (error: unknown) => {
      if (!(error instanceof NoRangesError)) throw error;
      ctx.emit({ type: 'warning', message: error.message });
      return fetchWhole(wanted, { ...told, sha256: index.sha256 }, ctx);
    },
  );
}

type Told = { readonly index: ChunkIndex | undefined; readonly sha256: string | undefined; readonly bytes: number };

const mostIndex = 512 * 1024 * 1024;

/** What lies beside the file at its address. */
async function tellings({ url }: Wanted, { host, signal }: Context): Promise<Told> {
  return host.withTemporary(async (folder) => {
    const bring = async (ending: string) => {
      const beside = new URL(url);
      beside.pathname += ending;
      const to = join(folder, `it${ending}`);
      try {
        await fetchFile({ url: beside.href, to, maxBytes: mostIndex, signal });
        return await host.files.read(to);
      } catch (error) {
        if (error instanceof IngotError && error.code === 'NOT_FOUND') return undefined;
        throw error;
      }
    };
    const [list, sums] = [await bring(`.${indexEnding}`), await bring('.sha256')];
    const index = list === undefined ? undefined : parseIndex(list, `${url}.${indexEnding}`);
    const sha256 = /^[0-9a-f]{64}(?=\s|$)/i.exec(sums?.toString('latin1') ?? '')?.[0].toLowerCase();
    return { index, sha256, bytes: (list?.length ?? 0) + (sums?.length ?? 0) };
  });
}

async function fetchWhole({ url, output, sha256: asked }: Wanted, told: Told, ctx: Context): Promise<Fetched> {
  const sha256 = asked ?? told.sha256;
  if (sha256 === undefined) {
    const message = `${url} has neither a list of chunks nor a checksum beside it`;
    throw new IngotError({ code: 'INPUT_REFUSED', message, hint: 'say what it must be: --sha256 HEX' });
  }
  if (await isThere(output, sha256, ctx)) return unchanged(output, sha256, told, ctx);
  let came = 0;
  const { bytes } = await fetchFile({
    url,
    to: output,
    digest: { sha256 },
    signal: ctx.signal,
    onProgress: (done, total) => {
      came = done;
      progress(done, total, ctx);
    },
    onRetry: (why) => ctx.emit({ type: 'warning', message: `${why}; trying again` }),
  });
  return { path: output, bytes, sha256, fetchedBytes: told.bytes + came, reusedBytes: 0, how: 'whole' };
}

async function isThere(output: string, sha256: string, { host, signal }: Context): Promise<boolean> {
  const path = await host.files.realPath(output).catch(() => output);
  return (await host.files.stat(path))?.kind === 'file' && (await host.files.sha256(path, signal)) === sha256;
}

async function unchanged(path: string, sha256: string, told: Told, { host }: Context): Promise<Fetched> {
  const bytes = (await host.files.stat(await host.files.realPath(path)))?.size ?? 0;
  return { path, bytes, sha256, fetchedBytes: told.bytes, reusedBytes: bytes, how: 'unchanged' };
}

type Known = Told & { readonly index: ChunkIndex };

async function assemble(wanted: Wanted, told: Known, ctx: Context): Promise<Fetched> {
  const { index } = told;
  const { output, seeds } = wanted;
  const { host, signal } = ctx;
  const old = await host.files.stat(output);
  if (old !== undefined && (await isThere(output, index.sha256, ctx)))
    return unchanged(output, index.sha256, told, ctx);
  const assembly = await Assembly.open(output, index, host);
  let came = 0;
  try {
    for (const seed of old === undefined ? seeds : [output, ...seeds]) await takeFrom(seed, assembly, index, ctx);
    await assembly.requireRoom(host);
    const missing = assembly.missingBytes;
    await fetchRanges({
      url: wanted.url,
      total: index.bytes,
      ranges: assembly.missingRanges(),
      signal,
      onRange: async (range, bytes) => {
        if (!(await assembly.putRange(range, bytes))) throw new ChangedError('other bytes came than the list tells of');
      },
      onBytes: (bytes) => {
        came += bytes;
        progress(came, missing, ctx);
      },
      onRetry: (why) => ctx.emit({ type: 'warning', message: `${why}; trying again` }),
    });
  } finally {
    await assembly.close();
  }
  await finish(assembly.path, output, { index, ctx });
  const reusedBytes = Math.max(0, index.bytes - came);
  const { bytes, sha256 } = index;
  return { path: output, bytes, sha256, fetchedBytes: told.bytes + came, reusedBytes, how: 'chunks' };
}

/** Read all of it again; only what has the right digest gets its name. */
async function finish(
  path: string,
  output: string,
  { index, ctx }: { readonly index: ChunkIndex; readonly ctx: Context },
): Promise<void> {
  const { files } = ctx.host;
  const found = await files.sha256(path, ctx.signal);
  if (found !== index.sha256) {
    await files.remove(path);
    throw new ChangedError(`all its chunks together have the SHA-256 ${found}, not ${index.sha256}`);
  }
  await sync(path);
  await files.rename(path, output);
  await sync(dirname(output));
}

function progress(done: number, total: number | undefined, ctx: Context): void {
  ctx.emit({ type: 'progress', id: ctx.step, done, ...(total === undefined ? {} : { total }), unit: 'bytes' });
}
