import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readlink, stat } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorePaths } from '../../src/store/paths.ts';
import { ask, sendRaw } from '../support/raw-http.ts';
import {
  canary,
  makeHome,
  putBuild,
  putFile,
  removeHome,
  type Server,
  serveHome,
  sha256,
  token,
} from '../support/served-home.ts';

let paths: StorePaths;
let server: Server;
beforeAll(async () => {
  paths = await makeHome();
  await putBuild(paths, 'b1', Buffer.from('the first disk'));
  await putFile(paths, 'isos/x.iso', 'an ISO');
  server = await serveHome(paths);
});
afterAll(async () => {
  await server.close(0);
  await removeHome(paths);
});

/** Ways out of a folder, as they were found to work somewhere once. */
function traversals(): readonly string[] {
  const dots = ['..', '%2e%2e', '.%2e', '%2E.', '%252e%252e', '..;', '..%00', '%c0%ae%c0%ae', '．．', '..\\', '..%5c'];
  const slashes = ['/', '%2f', '%5c', '\\', '//', '/./'];
  const starts = ['/', '/files/', '/images/web/x86_64/', '/blobs/sha256/'];
  const climbed = starts.flatMap((start) =>
    dots.flatMap((dot) => slashes.map((slash) => `${start}${`${dot}${slash}`.repeat(start.split('/').length)}secret`)),
  );
  const others = [
    ...['/files/absolute', '/files/relative', '/files/above/secret', '/files/above/', '/.hidden', '/%2ehidden'],
    ...['/images/web/.builds/', '/images/web/.builds/x86_64-b1/web.qcow2', '//etc/passwd', '/%2fetc/passwd', 'secret'],
    ...['/etc/passwd%00.html', '*', '../secret', '/files/..', '/files/../..//secret', '/C:/secret', '/~root/secret'],
    ...['http://127.0.0.1/../secret', 'file:///etc/passwd', 'https://127.0.0.1/secret', '/images?/../../secret'],
    ...[
      `${encodeURIComponent(paths.home)}/secret`,
      `/${encodeURIComponent(`${paths.home}/secret`)}`,
      '/%',
      '/%zz',
      '/\x80\xff',
    ],
  ];
  return [...climbed, ...others];
}

test('no path leads out of the tree, however it is written', async () => {
  const all = traversals();
  expect(all.length).toBeGreaterThan(200);
  const wrong: string[] = [];
  for (const path of all) {
    const { status, raw } = await ask(server.port, path);
    const leaked = raw.includes(canary) || raw.includes('root:');
    // What stands before a question mark is a path like any other.
    const isFine = [400, 404].includes(status) || (path.includes('?') && status === 301);
    if (leaked || !isFine) wrong.push(`${path}: ${status}`);
  }
  expect(wrong).toEqual([]);
  expect(server.errors).toEqual([]);
});

const strangers = [
  'evil.example',
  'evil.example:8417',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'localhost@evil',
  '',
];

test.each(strangers)('a request for the host "%s" is not answered', async (host) => {
  const { status, raw } = await ask(server.port, '/images/web/x86_64/web.qcow2', { headers: { Host: host } });
  expect(status).toBe(421);
  expect(raw.includes('the first disk')).toBe(false);
});

test.each(['localhost', 'LOCALHOST:1', '127.0.0.1', '[::1]:80', '10.0.2.2'])('a request for %s is', async (host) => {
  expect((await ask(server.port, '/', { headers: { Host: host } })).status).toBe(200);
});

test('a file is brought whole, with its digest, by who has the token', async () => {
  const authorization = `Bearer ${token}`;
  const digest = (text: string) => `sha-256=:${Buffer.from(sha256(text), 'hex').toString('base64')}:`;
  const put = (path: string, headers: Record<string, string>, body = 'new bytes') =>
    ask(server.port, path, { method: 'PUT', headers, body });
  const good = await put('/keys/lab.pub', { Authorization: authorization, 'Repr-Digest': digest('new bytes') });
  expect([good.status, good.headers['etag']]).toEqual([201, `"sha256:${sha256('new bytes')}"`]);
  const got = await ask(server.port, '/keys/lab.pub');
  expect([got.body.toString(), got.headers['etag']]).toEqual(['new bytes', good.headers['etag']]);
  expect((await ask(server.port, '/keys/lab.pub.sha256')).body.toString()).toBe(`${sha256('new bytes')}  lab.pub\n`);
  expect((await ask(server.port, '/keys/SHA256SUMS')).body.toString()).toBe(`${sha256('new bytes')}  lab.pub\n`);
  expect((await ask(server.port, `/blobs/sha256/${sha256('new bytes')}`)).headers['cache-control']).toContain(
    'immutable',
  );

  const before = await namesBelow(paths.artifacts);
  const refused = [
    await put('/keys/lab.pub', {}, 'bad'),
    await put('/keys/lab.pub', { Authorization: 'Bearer wrong' }, 'bad'),
    await put('/keys/lab.pub', { Authorization: authorization, Origin: 'http://evil.example' }, 'bad'),
    await put('/keys/lab.pub', { Authorization: authorization, Origin: 'null' }, 'bad'),
    await put('/keys/lab.pub', { Authorization: authorization, 'Sec-Fetch-Site': 'cross-site' }, 'bad'),
    await put('/keys/lab.pub', { Authorization: authorization, 'Repr-Digest': digest('other') }, 'bad'),
    await put('/keys/lab.pub', { Authorization: authorization, 'Repr-Digest': 'md5=:AA==:' }, 'bad'),
    await put('/keys/lab.pub', { Authorization: authorization, 'Content-Range': 'bytes 0-2/9' }, 'bad'),
    await put('/images/web/x86_64/web.qcow2', { Authorization: authorization }, 'bad'),
    await put('/isos/../index.json', { Authorization: authorization }, 'bad'),
    await put('/keys/.hidden', { Authorization: authorization }, 'bad'),
    await put('/keys/lab.pub/', { Authorization: authorization }, 'bad'),
    await put('/files/above/x', { Authorization: authorization }, 'bad'),
    await ask(server.port, '/keys/lab.pub', { method: 'DELETE', headers: { Authorization: authorization } }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([
    401, 401, 403, 403, 403, 400, 400, 400, 409, 400, 409, 409, 409, 405,
  ]);
  expect(await namesBelow(paths.artifacts)).toEqual(before);
  expect((await ask(server.port, '/keys/lab.pub')).body.toString()).toBe('new bytes');
});

test('an upload that breaks off leaves nothing', async () => {
  const before = await namesBelow(paths.home);
  const socket = connect(server.port, '127.0.0.1');
  const count = server.accesses.length;
  socket.write(
    `PUT /isos/half.iso HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n`,
  );
  // Leave to send comes when somebody reads.
  await once(socket, 'data');
  socket.write('half of it');
  socket.destroy();
  await expect.poll(() => server.accesses.length).toBeGreaterThan(count);
  expect(await namesBelow(paths.home)).toEqual(before);
});

test('while builds are published, 16 readers each get the whole old or the whole new file', async () => {
  const disks = [1, 2, 3, 4, 5, 6].map((number) => Buffer.alloc(3_000_000, `disk ${number} `));
  const known = new Map(disks.map((disk) => [sha256(disk), disk.length]));
  await putBuild(paths, 'r0', disks[0] ?? Buffer.alloc(0), 'race');
  await putFile(paths, 'isos/race.iso', disks[0] ?? '');
  const going = { on: true };
  const seen = new Set<string>();
  const read = async (path: string) => {
    while (going.on) {
      const { status, body, headers } = await ask(server.port, path);
      const digest = sha256(body);
      expect(status).toBe(200);
      expect(known.has(digest)).toBe(true);
      expect(headers['etag']).toBe(`"sha256:${digest}"`);
      seen.add(digest);
    }
  };
  const readers = Array.from({ length: 16 }, (_, n) =>
    read(n % 2 ? '/isos/race.iso' : '/images/race/x86_64/race.qcow2'),
  );
  for (const [index, disk] of disks.entries()) {
    await putBuild(paths, `r${index + 1}`, disk, 'race');
    await putFile(paths, 'isos/race.iso', disk);
    await expect.poll(() => seen.has(sha256(disk)), { timeout: 30_000 }).toBe(true);
  }
  going.on = false;
  await Promise.all(readers);
  expect(seen.size).toBe(disks.length);
});

test('a download in pieces starts again when the file was replaced meanwhile', async () => {
  await putFile(paths, 'files/p', 'aaaaaaaaaa');
  const first = await ask(server.port, '/files/p', { headers: { Range: 'bytes=0-3' } });
  expect([first.status, first.headers['content-range'], first.body.toString()]).toEqual([206, 'bytes 0-3/10', 'aaaa']);
  await putFile(paths, 'files/p', 'bbbbbbbbbb');
  const headers = { Range: 'bytes=4-', 'If-Range': first.headers['etag'] ?? '' };
  const second = await ask(server.port, '/files/p', { headers });
  expect([second.status, second.body.toString()]).toEqual([200, 'bbbbbbbbbb']);
});

test('headers that never end are cut off, and files stay closed after downloads broke off', async () => {
  await putFile(paths, 'files/large', Buffer.alloc(8_000_000, 'x'));
  const slow = await serveHome(paths, { headerMs: 200 });
  const openFiles = async () => {
    const links = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    );
    return links.filter((path) => path.startsWith(paths.artifacts)).length;
  };
  const { status } = await sendRaw(slow.port, 'GET / HTTP/1.1\r\nHost: localhost\r\nX: ');
  expect(status).toBe(408);
  for (let round = 0; round < 50; round++) {
    const socket = connect(slow.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /files/large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    socket.resetAndDestroy();
  }
  await expect.poll(() => slow.accesses.length).toBe(50);
  expect(slow.accesses.some(({ whole }) => whole)).toBe(false);
  expect(await openFiles()).toBe(0);
  await slow.close(0);
});

test('when the server ends, a download under way gets its last byte, and idle connections none', async () => {
  await putFile(paths, 'files/long', Buffer.alloc(30_000_000, 'y'));
  const ending = await serveHome(paths);
  const idle = connect(ending.port, '127.0.0.1');
  await once(idle, 'connect');
  const socket = connect(ending.port, '127.0.0.1');
  socket.write('GET /files/long HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  const closed = ending.close(60_000);
  await once(idle.resume(), 'close');
  let received = first.length;
  socket.on('data', (chunk) => {
    received += chunk.length;
  });
  socket.resume();
  await Promise.all([closed, once(socket, 'close')]);
  expect(received).toBeGreaterThan(30_000_000);
  await expect(ask(ending.port, '/')).rejects.toThrow('ECONNREFUSED');
});

test('the program serves on a socket that systemd hands over, and ends well when it is told to', async () => {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  // The number of the process is known to itself alone.
  const child = spawn('sh', ['-c', 'LISTEN_FDS=1 LISTEN_PID=$$ exec ./ingot serve --json'], {
    env: { ...process.env, INGOT_HOME: paths.home },
    stdio: ['ignore', 'pipe', 'inherit', fd],
  });
  const exited = once(child, 'exit');
  const said: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  await expect.poll(() => said.join(''), { timeout: 30_000 }).toContain('serve.start');
  socket.close();
  expect((await ask(port, '/isos/x.iso')).body.toString()).toBe('an ISO');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  const events = said
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(events).toMatchObject([
    { type: 'serve.start', url: `http://127.0.0.1:${port}/`, tokenFile: join(paths.home, 'serve-token') },
    { type: 'access', method: 'GET', path: '/isos/x.iso', status: 200, whole: true, remote: '127.0.0.1' },
  ]);
  expect((await stat(join(paths.home, 'serve-token'))).mode & 0o777).toBe(0o600);
});

async function namesBelow(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  // The locks' own files come and go.
  return names.filter((name) => !name.startsWith('locks')).sort();
}
