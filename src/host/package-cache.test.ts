import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isImmutable, openPackageCache, type PackageCache } from './package-cache.ts';

let folder = '';
let cache: PackageCache;
let upstream: Server;
let base = '';
let asked: IncomingMessage[] = [];
let reply: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-packages-'));
  asked = [];
  reply = (_, response) => response.end('bytes');
  upstream = createServer((request, response) => {
    asked.push(request);
    reply(request, response);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  cache = await openPackageCache(join(folder, 'kept'), join(folder, 'partials'));
});

afterEach(async () => {
  await cache.close();
  upstream.closeAllConnections();
  upstream.close();
  await rm(folder, { recursive: true });
});

type Answer = { readonly status: number; readonly body: string; readonly headers: IncomingMessage['headers'] };

/** Ask the way a package manager asks its proxy. */
function ask(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { hostname, port } = new URL(cache.url);
  return new Promise((resolve, reject) => {
    const request = get({ hostname, port, path: `${base}${path}`, headers, agent: false }, (response) => {
      buffer(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, body: body.toString(), headers: response.headers }),
        reject,
      );
    });
    request.on('error', reject);
  });
}

const deb = '/pool/main/v/vim/vim_9.1_amd64.deb';
const byHash = (text: string) => `/dists/x/by-hash/SHA256/${createHash('sha256').update(text).digest('hex')}`;

/** Files that were kept, and files that were not finished. */
async function files(): Promise<{ readonly kept: readonly string[]; readonly partial: readonly string[] }> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = all.filter((one) => one.isFile()).map(({ name }) => name);
  const isPartial = (name: string) => name.endsWith('.partial');
  return { kept: names.filter((name) => !isPartial(name)), partial: names.filter(isPartial) };
}

test.each([
  [deb, true],
  ['/pool/main/v/vim/vim_9.1.udeb', true],
  [byHash('x'), true],
  ['/dists/x/InRelease', false],
  ['/dists/x/main/Packages.xz', false],
  ['/vim.deb', false],
  ['/dists/x/by-hash/MD5Sum/d41d8cd98f00b204e9800998ecf8427e', false],
])('whether %s never changes: %s', (path, expected) => {
  expect(isImmutable(`http://a.example/debian${path}`)).toBe(expected);
});

test.each([deb, byHash('bytes')])('%s is fetched once and then served from here', async (path) => {
  expect(await ask(path)).toMatchObject({ status: 200, body: 'bytes' });
  await expect.poll(async () => (await files()).kept).toHaveLength(1);
  upstream.close();
  expect(await ask(path)).toMatchObject({ status: 200, body: 'bytes', headers: { 'content-length': '5' } });
  expect(asked).toHaveLength(1);
});

test('eight requests at once for one file are one request to the mirror', async () => {
  reply = (_, response) => setTimeout(() => response.end('bytes'), 50);
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(deb)));
  expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 8 }, () => 'bytes'));
  expect(asked).toHaveLength(1);
});

test('when the first of several requests fails, another takes its place', async () => {
  reply = (_, response) => (asked.length === 1 ? response.destroy() : response.end('bytes'));
  const answers = await Promise.allSettled(Array.from({ length: 3 }, () => ask(deb)));
  expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(asked).toHaveLength(2);
});

test('a kept file whose bytes changed is fetched again', async () => {
  await ask(deb);
  await expect.poll(async () => (await files()).kept).toHaveLength(1);
  const [name = ''] = (await readdir(join(folder, 'kept'), { recursive: true })).filter((path) =>
    /\/[0-9a-f]{64}$/.test(path),
  );
  await writeFile(join(folder, 'kept', name), 'bytez');
  expect((await ask(deb)).body).toBe('bytes');
  expect(asked).toHaveLength(2);
});

test('bytes that are not what their name says are passed on but not kept', async () => {
  reply = (_, response) => response.end('please log in');
  expect((await ask(byHash('bytes'))).body).toBe('please log in');
  reply = (_, response) => response.end('bytes');
  expect((await ask(byHash('bytes'))).body).toBe('bytes');
  await expect.poll(files).toMatchObject({ kept: [expect.any(String)], partial: [] });
});

test('a download that breaks is an error to the client and leaves nothing', async () => {
  reply = (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half', () => response.destroy());
  };
  await expect(ask(deb)).rejects.toThrow(/aborted|socket hang up/);
  await expect.poll(files).toEqual({ kept: [], partial: [] });
});

test('a client that goes away does not keep the file from being kept', async () => {
  let finish = () => {};
  reply = (_, response) => {
    response.writeHead(200, { 'content-length': 5 });
    response.write('by');
    finish = () => response.end('tes');
  };
  const { hostname, port } = new URL(cache.url);
  await new Promise<void>((resolve) => {
    const request = get({ hostname, port, path: `${base}${deb}`, agent: false }, (response) => {
      response.once('data', () => {
        request.destroy();
        resolve();
      });
      response.on('error', () => undefined);
    });
    request.on('error', () => undefined);
  });
  finish();
  await expect.poll(files).toMatchObject({ kept: [expect.any(String)], partial: [] });
  expect((await ask(deb)).body).toBe('bytes');
  expect(asked).toHaveLength(1);
});

test('a file that cannot be kept is passed on all the same', async () => {
  await rm(join(folder, 'kept'), { recursive: true });
  await writeFile(join(folder, 'kept'), 'no folder');
  expect((await ask(deb)).body).toBe('bytes');
  expect((await ask('/dists/x/InRelease')).body).toBe('bytes');
  expect((await ask(deb)).body).toBe('bytes');
});

test('changing files are asked for each time, with the conditions of the client', async () => {
  reply = (request, response) => {
    if (request.headers['if-modified-since'] !== undefined) response.writeHead(304).end();
    else response.end('bytes');
  };
  expect(await ask('/dists/x/InRelease')).toMatchObject({ status: 200, body: 'bytes' });
  const when = 'Sat, 15 Nov 2025 09:12:34 GMT';
  expect(await ask('/dists/x/InRelease', { 'if-modified-since': when })).toMatchObject({ status: 304, body: '' });
  expect(asked.map(({ headers }) => headers['if-modified-since'])).toEqual([undefined, when]);
});

test('without a network the last index is served, and what never came is an error', async () => {
  await ask('/dists/x/InRelease');
  await expect.poll(async () => (await files()).kept).toHaveLength(1);
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
  expect(await ask('/dists/x/InRelease')).toMatchObject({ status: 200, body: 'bytes' });
  await expect(ask('/dists/y/InRelease')).rejects.toThrow('socket hang up');
  await expect(ask(deb)).rejects.toThrow('socket hang up');
});

test.each([404, 503])('an answer of %d is passed on and not kept', async (status) => {
  reply = (_, response) => response.writeHead(status).end('no');
  expect(await ask(deb)).toMatchObject({ status, body: 'no' });
  expect(await ask('/dists/x/InRelease')).toMatchObject({ status, body: 'no' });
  expect(await files()).toEqual({ kept: [], partial: [] });
});

test('it is a proxy for downloads and for nothing else', async () => {
  expect((await fetch(cache.url, { method: 'POST', body: 'x' })).status).toBe(405);
  expect((await fetch(`${cache.url}/etc/passwd`)).status).toBe(405);
  expect(asked).toEqual([]);
});

test('closing cuts off what is still being fetched and leaves nothing half done', async () => {
  reply = (_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half');
  };
  const waiting = ask(deb).catch(() => 'cut off');
  await expect.poll(async () => (await files()).partial).toHaveLength(1);
  await cache.close();
  expect(await waiting).toBe('cut off');
  expect(await files()).toEqual({ kept: [], partial: [] });
});
