import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AnswerServer, serveOnce } from './answer-server.ts';

let server: AnswerServer;
let served: string[] = [];
const url = (name: string) => `http://127.0.0.1:${server.port}${server.path}${name}`;

beforeEach(async () => {
  served = [];
  const files = new Map<string, string | Uint8Array>([
    ['preseed.cfg', 'd-i x\n'],
    ['ingot.apkovl.tar.gz', new Uint8Array([0, 255])],
    ['big', new Uint8Array(64 * 1024 * 1024)],
  ]);
  server = await serveOnce(files, (name) => served.push(name));
});

afterEach(() => server.close());

test('a file is given once, and looking at its size does not count', async () => {
  expect((await fetch(url('preseed.cfg'), { method: 'HEAD' })).headers.get('content-length')).toBe('6');
  const first = await fetch(url('preseed.cfg?mac=1'));
  expect([first.status, await first.text()]).toEqual([200, 'd-i x\n']);
  expect((await fetch(url('preseed.cfg'))).status).toBe(410);
  const other = await fetch(url('ingot.apkovl.tar.gz'));
  expect(new Uint8Array(await other.arrayBuffer())).toEqual(new Uint8Array([0, 255]));
  expect(served).toEqual(['preseed.cfg', 'ingot.apkovl.tar.gz']);
});

test('an installer that sends facts about its machine gets its answers in return', async () => {
  const reply = await fetch(url('preseed.cfg'), { method: 'POST', body: '{"dmi": {}}' });
  expect([reply.status, await reply.text()]).toEqual([200, 'd-i x\n']);
});

test('nothing is given to those who do not know the path, or ask for something else', async () => {
  const root = `http://127.0.0.1:${server.port}`;
  for (const path of ['/', '/preseed.cfg', `/${'0'.repeat(32)}/preseed.cfg`, `${server.path}`, `${server.path}%ff`])
    expect((await fetch(`${root}${path}`)).status).toBe(404);
  expect((await fetch(url('vendor-data'))).status).toBe(404);
  expect((await fetch(url('preseed.cfg'), { method: 'PUT', body: 'x' })).status).toBe(405);
  expect(served).toEqual([]);
  expect(server.path).toMatch(/^\/[0-9a-f]{32}\/$/);
});

test('one whose delivery broke off is given again', async () => {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`GET ${server.path}big HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'data');
  socket.destroy();
  await once(socket, 'close');
  // The server hears of it a moment later.
  let again = await fetch(url('big'));
  while (again.status === 410) again = await fetch(url('big'));
  expect((await again.arrayBuffer()).byteLength).toBe(64 * 1024 * 1024);
});

test('when it ends nothing listens any more', async () => {
  const { port } = server;
  await server.close();
  const socket = connect(port, '127.0.0.1');
  const [error] = await once(socket, 'error').catch((failure: unknown) => [failure]);
  expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
  server = await serveOnce(new Map());
});
