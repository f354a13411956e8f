import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { Dispatcher } from 'undici';

export type PackageCache = { readonly url: string; close(): Promise<void> };

/**
 * A loopback HTTP proxy for package managers that keeps what never changes (package files, indexes named by their
 * digest) and asks again for the rest; without a network it serves what it has. What it gives out is still verified by
 * the package manager against the signed index, and a kept file that lost its bytes is dropped, not served. `partials` is
 * where files lie until they are whole: a folder that somebody clears after a kill, on the same file system.
 */
export async function openPackageCache(folder: string, partials = folder): Promise<PackageCache> {
  await mkdir(folder, { recursive: true });
  // Loaded when first needed: a run that downloads nothing does without it.
  const { Agent, EnvHttpProxyAgent, request } = await import('undici');
  const dispatcher = process.env['http_proxy'] === undefined ? new Agent() : new EnvHttpProxyAgent();
  const running = new Map<string, Promise<void>>();
  const server = createServer((incoming, reply) => {
    answer({ folder, partials, dispatcher, request, running }, incoming, reply).catch(() => reply.destroy());
  });
  // Connections of apt stay open between downloads; none may hold the build open.
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      // Downloads that nobody waits for any more are cut off.
      await dispatcher.destroy();
      await Promise.all(running.values());
    },
  };
}

type Cache = {
  readonly folder: string;
  readonly partials: string;
  readonly dispatcher: Dispatcher;
  readonly request: typeof import('undici').request;
  readonly running: Map<string, Promise<void>>;
};

async function answer(cache: Cache, incoming: IncomingMessage, reply: ServerResponse): Promise<void> {
  const url = incoming.url ?? '';
  if (incoming.method !== 'GET' || !/^http:\/\//.test(url)) {
    reply.writeHead(405).end();
    return;
  }
  if (!isImmutable(url)) return relay(cache, url, incoming, reply);
  const folder = join(cache.folder, createHash('sha256').update(url).digest('hex'));
  // Of several requests for one file the first fetches it; the others wait, then serve what it kept or take its place.
  for (let other = cache.running.get(url); other !== undefined; other = cache.running.get(url)) await other;
  const serving = serve(cache, url, folder, reply);
  const settled = serving.then(
    () => undefined,
    () => undefined,
  );
  cache.running.set(url, settled);
  try {
    await serving;
  } finally {
    cache.running.delete(url);
  }
}

async function serve(cache: Cache, url: string, folder: string, reply: ServerResponse): Promise<void> {
  if (!(await serveKept(folder, reply))) await fetchAndKeep(cache, url, folder, reply);
}

/** Whether a URL always has the same bytes: files of a package pool, and indexes named by their digest. */
export function isImmutable(url: string): boolean {
  const { pathname } = new URL(url);
  return /\/by-hash\/(SHA256|SHA512)\/[0-9a-f]{64,128}$/.test(pathname) || /\/pool\/.+\.(u?deb|ddeb)$/.test(pathname);
}

/** Kept files are named by their digest: bytes that no longer match end the connection and the file. */
async function serveKept(folder: string, reply: ServerResponse): Promise<boolean> {
  const [name] = (await readdir(folder).catch(() => [])).filter((file) => /^[0-9a-f]{64}$/.test(file));
  if (name === undefined) return false;
  const file = join(folder, name);
  const { size } = await stat(file);
  const now = new Date();
  // Marked as used, so that it is not cleared away as old.
  await utimes(file, now, now);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  if (hash.digest('hex') !== name) {
    await rm(folder, { recursive: true, force: true });
    return false;
  }
  reply.writeHead(200, { 'content-length': size, 'content-type': 'application/octet-stream' });
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), reply);
  return true;
}

async function fetchAndKeep(cache: Cache, url: string, folder: string, reply: ServerResponse): Promise<void> {
  const response = await upstream(cache, url, {});
  if (response.statusCode !== 200) return pass(response, reply);
  await mkdir(cache.partials, { recursive: true });
  const partial = join(cache.partials, `.${randomBytes(8).toString('hex')}.partial`);
  const file = createWriteStream(partial, { flags: 'wx' });
  // A disk that is full keeps the file from being kept, not from being passed on.
  file.on('error', () => undefined);
  const hash = createHash('sha256');
  reply.writeHead(200, passedHeaders(response));
  try {
    for await (const chunk of response.body) {
      hash.update(chunk as Buffer);
      // Both are asked before either is waited for: a drain that nobody listens to yet would be missed.
      const written = file.destroyed || file.write(chunk) ? undefined : drained(file);
      const sent = reply.destroyed || reply.write(chunk) ? undefined : drained(reply);
      await Promise.all([written, sent]);
    }
    reply.end();
    const digest = hash.digest('hex');
    if (isPlausible(url, digest)) await keep(file, partial, folder, digest);
  } finally {
    file.destroy();
    await rm(partial, { force: true });
  }
}

/** An index that is named by its digest and is not it came from somewhere else, such as a network's login page. */
function isPlausible(url: string, digest: string): boolean {
  const [, named] = /\/by-hash\/SHA256\/([0-9a-f]{64})$/.exec(new URL(url).pathname) ?? [];
  return named === undefined || named === digest;
}

async function keep(file: WriteStream, partial: string, folder: string, digest: string): Promise<void> {
  if (file.destroyed) return;
  file.end();
  try {
    await finished(file);
    await mkdir(folder, { recursive: true });
    await rename(partial, join(folder, digest));
  } catch {
    // It is fetched again next time.
  }
}

/** Resolves when a stream takes more, or is gone: a client that went away does not keep the file from being kept. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close', 'error']) stream.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) stream.on(event, done);
  });
}

/** Changing files: asked again each time with the client's own conditions; the last good answer stands in for a dead network. */
async function relay(cache: Cache, url: string, incoming: IncomingMessage, reply: ServerResponse): Promise<void> {
  const kept = join(cache.folder, 'latest', createHash('sha256').update(url).digest('hex'));
  const conditions = Object.fromEntries(
    ['if-modified-since', 'if-none-match', 'range', 'if-range'].flatMap((name) => {
      const value = incoming.headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
  let response: Dispatcher.ResponseData;
  try {
    response = await upstream(cache, url, conditions);
  } catch (error) {
    const size = await stat(kept).then(
      (found) => found.size,
      () => undefined,
    );
    if (size === undefined) throw error;
    reply.writeHead(200, { 'content-length': size });
    return pipeline(createReadStream(kept), reply);
  }
  if (response.statusCode !== 200) return pass(response, reply);
  const body = Buffer.from(await response.body.arrayBuffer());
  reply.writeHead(200, passedHeaders(response)).end(body);
  await keepLatest(cache, kept, body).catch(() => undefined);
}

async function keepLatest(cache: Cache, kept: string, body: Buffer): Promise<void> {
  await mkdir(dirname(kept), { recursive: true });
  await mkdir(cache.partials, { recursive: true });
  const partial = join(cache.partials, `.${randomBytes(8).toString('hex')}.partial`);
  try {
    await writeFile(partial, body, { flag: 'wx' });
    await rename(partial, kept);
  } finally {
    await rm(partial, { force: true });
  }
}

function upstream(cache: Cache, url: string, headers: Record<string, string>): Promise<Dispatcher.ResponseData> {
  return cache.request(url, { dispatcher: cache.dispatcher, headers, headersTimeout: 30_000, bodyTimeout: 60_000 });
}

function passedHeaders(response: Dispatcher.ResponseData): Record<string, string> {
  const names = ['content-length', 'content-type', 'last-modified', 'etag', 'content-range', 'location'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = response.headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

async function pass(response: Dispatcher.ResponseData, reply: ServerResponse): Promise<void> {
  reply.writeHead(response.statusCode, passedHeaders(response));
  await pipeline(response.body, reply);
}
