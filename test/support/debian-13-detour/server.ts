import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What stands in for a folder of addresses: files of our own, and the rest from elsewhere. */
export type Route = { readonly from: string; readonly own: ReadonlyMap<string, Buffer> };

export type MirrorServer = { readonly port: number; close(): Promise<void> };

/** Serve on loopback; `routes` by the first part of the path. */
export async function serveMirror(routes: ReadonlyMap<string, Route>): Promise<MirrorServer> {
  const server = createServer((request, response) => {
    answer(request, response, routes).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, close };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: ReadonlyMap<string, Route>,
): Promise<void> {
  const [, first = '', path = ''] = /^\/([^/]+)\/+(.*)$/.exec(request.url ?? '') ?? [];
  const route = routes.get(first);
  const isHead = request.method === 'HEAD';
  if (route === undefined) return end(response, 404);
  const own = route.own.get(decodeURIComponent(path));
  if (own !== undefined) {
    response.writeHead(200, { 'content-length': own.length });
    response.end(isHead ? undefined : own);
    return;
  }
  const upstream = await fetch(`${route.from}/${path}`, { method: isHead ? 'HEAD' : 'GET', headers: asked(request) });
  response.setHeaders(told(upstream.headers)).writeHead(upstream.status);
  if (upstream.body === null) response.end();
  else await pipeline(Readable.fromWeb(upstream.body), response);
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}

function asked({ headers }: IncomingMessage): Headers {
  const names = ['range', 'if-range', 'if-modified-since'];
  return pick(names, (name) => headers[name]?.toString());
}

function told(headers: Headers): Headers {
  return pick(['content-length', 'content-range', 'last-modified'], (name) => headers.get(name) ?? undefined);
}

function pick(names: readonly string[], read: (name: string) => string | undefined): Headers {
  const pairs = names.flatMap((name) => {
    const value = read(name);
    return value === undefined ? [] : [[name, value] as [string, string]];
  });
  return new Headers(pairs);
}
