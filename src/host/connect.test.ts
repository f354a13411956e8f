import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from './connect.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-connect-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('what the other side sends arrives, and its end is told', async () => {
  const server = createServer((socket) => socket.end('hello'));
  const path = join(folder, 'socket');
  server.listen(path);
  await once(server, 'listening');
  let got = '';
  const onData = (bytes: Uint8Array): void => {
    got += Buffer.from(bytes).toString();
  };
  const connection = await connect({ path }, { signal: new AbortController().signal, onData });
  await connection.closed;
  server.close();
  expect(got).toBe('hello');
});

test('a socket nobody listens on is an error, and a cancelled wait fails with its reason', async () => {
  const path = join(folder, 'nobody');
  const onData = (): void => undefined;
  await expect(connect({ path }, { signal: new AbortController().signal, onData })).rejects.toThrow('ENOENT');
  await expect(connect({ path }, { signal: AbortSignal.abort(new Error('stop')), onData })).rejects.toThrow('stop');
});
