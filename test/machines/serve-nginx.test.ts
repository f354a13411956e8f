import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorePaths } from '../../src/store/paths.ts';
import { type Asking, ask, type RawAnswer } from '../support/raw-http.ts';
import { makeHome, putBuild, putFile, removeHome, type Server, serveHome, sha256 } from '../support/served-home.ts';

const disk = Buffer.from(Array.from({ length: 5000 }, (_, n) => n % 251));

let paths: StorePaths;
let ours: Server;
let nginx: { readonly port: number; stop(): Promise<void> };
beforeAll(async () => {
  paths = await makeHome();
  // It follows links that were made by hand; Ingot does not.
  await rm(join(paths.artifacts, 'files'), { recursive: true });
  await putBuild(paths, 'b1', disk);
  await putBuild(paths, 'b2', Buffer.concat([disk, disk]));
  await putFile(paths, 'isos/x.iso', 'an ISO');
  await putFile(paths, 'netboot/pxe/user-data', '#cloud-config\n');
  await putFile(paths, 'keys/lab.pub', 'a key\n');
  await putFile(paths, 'files/empty', '');
  await putFile(paths, 'files/page.html', '<script>alert(1)</script>');
  await putFile(paths, 'files/contents.tsv.zst', 'not really');
  ours = await serveHome(paths);
  nginx = await startNginx(paths.artifacts);
});
afterAll(async () => {
  await nginx?.stop();
  await ours?.close(0);
  await removeHome(paths);
});

/** The configuration of the documentation, on a free port, in a folder of its own. */
async function startNginx(root: string) {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-nginx-'));
  const port = await freePort();
  const site = (await readFile('docs/serve/nginx.conf', 'utf8'))
    .replace('listen 127.0.0.1:8080;', `listen 127.0.0.1:${port};`)
    .replace('root /srv/ingot/artifacts;', `root ${root};`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; ${user} worker_processes 1; pid ${folder}/pid; error_log stderr crit; events {}
http { access_log off; ${temporary.join(' ')} ${site} }`,
  );
  await mkdir(join(folder, 'logs'));
  const child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  });
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  let hasEnded = false;
  const exited = once(child, 'exit').then(() => {
    hasEnded = true;
  });
  // It says nowhere that it listens.
  while (!hasEnded && !(await isUp(port))) await setTimeout(20);
  if (hasEnded) throw new Error(`nginx ended: ${Buffer.concat(said).toString()}`);
  return {
    port,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

function isUp(port: number): Promise<boolean> {
  return ask(port, '/').then(
    () => true,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const file = '/images/web/x86_64/web.qcow2';
const range = (value: string): Asking => ({ headers: { Range: value } });
const json: Asking = { headers: { Accept: 'application/json' } };

type Request = readonly [path: string, asking?: Asking];
const requests: readonly Request[] = [
  ...[
    '/',
    '/images/',
    '/images/web/',
    '/images/web/x86_64/',
    '/isos/',
    '/blobs/sha256/',
    '/netboot/pxe/',
    '/files/',
  ].flatMap((path) => [[path] as const, [path, json] as const, [path, { method: 'HEAD' }] as const]),
  ...['/images', '/images/web', '/images/web/x86_64', '/isos?x=1'].map((path) => [path] as const),
  ...[file, `${file}.sha256`, '/images/web/x86_64/manifest.json', '/images/web/x86_64/SHA256SUMS'].map(
    (path) => [path] as const,
  ),
  ...['/index.json', '/os_list.json', '/icon.svg', '/streams/v1/index.json', '/streams/v1/images.json'].map(
    (path) => [path] as const,
  ),
  ...['/isos/x.iso', '/isos/x.iso.sha256', '/isos/SHA256SUMS', '/netboot/pxe/user-data', '/keys/lab.pub'].map(
    (path) => [path] as const,
  ),
  ...['/files/empty', '/files/contents.tsv.zst', `/blobs/sha256/${sha256(disk)}`].map((path) => [path] as const),
  ...[
    '/nothing',
    '/images/nothing/',
    `${file}/`,
    `${file}/x`,
    '/.hidden',
    '/images/web/.builds/',
    '/images/%2e%2e/%2e%2e/secret',
  ].map((path) => [path] as const),
  [file, { method: 'HEAD' }],
  [file, { method: 'POST', body: 'x' }],
  [file, { method: 'DELETE' }],
  ...[
    'bytes=0-0',
    'bytes=0-99',
    'bytes=100-',
    'bytes=-1',
    'bytes=-100',
    'bytes=-99999',
    'bytes=9999-',
    'bytes=9998-20000',
  ].map((value) => [file, range(value)] as const),
  ...['bytes=10000-', 'bytes=10001-10005', 'bytes=5-2', 'bytes=a-b', 'bytes=-', 'bytes=', 'bytes=1', 'bytes=-0'].map(
    (value) => [file, range(value)] as const,
  ),
  ...[
    'bytes=0-0,5-6',
    'bytes=0-1,2-3,4-5',
    'items=0-5',
    'bytes=0-9007199254740993',
    'bytes= 1 - 2 ',
    'bytes=9000-,-5',
  ].map((value) => [file, range(value)] as const),
  ['/files/empty', range('bytes=0-')],
  [file, { headers: { 'If-None-Match': '"another"' } }],
  [file, { headers: { 'If-None-Match': '*' } }],
  [file, { headers: { 'If-Match': '"another"' } }],
  [file, { headers: { 'If-Match': '*' } }],
  [file, { headers: { 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' } }],
  [file, { headers: { 'If-Modified-Since': 'no time at all' } }],
  [file, { headers: { 'If-Unmodified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' } }],
  [file, { headers: { Range: 'bytes=1-2', 'If-Range': '"another"' } }],
  [file, { headers: { Range: 'bytes=1-2', 'If-Range': 'Thu, 01 Jan 1970 00:00:00 GMT' } }],
];

const cases = requests.map(([path, asking = {}]) => [path, asking] as const);
test.each(cases)('%s %o is answered as nginx does', async (path, asking) => {
  const [mine, its] = await Promise.all([ask(ours.port, path, asking), ask(nginx.port, path, asking)]);
  expect(shape(mine, path)).toEqual(shape(its, path));
});

const conditions: readonly (readonly [string, (answer: RawAnswer) => Asking])[] = [
  ['If-None-Match of its own tag', ({ headers }) => ({ headers: { 'If-None-Match': headers['etag'] ?? '' } })],
  ['If-None-Match of a list', ({ headers }) => ({ headers: { 'If-None-Match': `"a", W/${headers['etag']}` } })],
  ['If-Match of its own tag', ({ headers }) => ({ headers: { 'If-Match': headers['etag'] ?? '' } })],
  ['If-Modified-Since', ({ headers }) => ({ headers: { 'If-Modified-Since': headers['last-modified'] ?? '' } })],
  [
    'If-Range of its own tag',
    ({ headers }) => ({ headers: { Range: 'bytes=5-9', 'If-Range': headers['etag'] ?? '' } }),
  ],
  [
    'If-Range of its time',
    ({ headers }) => ({ headers: { Range: 'bytes=5-', 'If-Range': headers['last-modified'] ?? '' } }),
  ],
];

test.each(conditions)('%s means the same to both', async (_name, asking) => {
  const answers = [ours.port, nginx.port].map(async (port) =>
    shape(await ask(port, file, asking(await ask(port, file))), file),
  );
  const [mine, its] = await Promise.all(answers);
  expect(mine).toEqual(its);
});

const compared = ['content-range', 'location', 'last-modified', 'cache-control', 'vary'];

/** What must be the same: not the words of errors, the look of listings, and how a tag is made. */
function shape({ status, headers, body }: RawAnswer, path: string) {
  const isWhole = status === 200 || status === 206;
  const isListing = path.endsWith('/') && isWhole;
  const tag = headers['etag'];
  return {
    status,
    type: isWhole ? headers['content-type']?.toLowerCase() : undefined,
    ...(isListing || path === '/os_list.json'
      ? {}
      : {
          length: isWhole ? headers['content-length'] : undefined,
          body: isWhole ? sha256(body) : undefined,
          tag: tag === undefined || !isWhole ? undefined : /^"[^"]+"$/.test(tag) ? 'strong' : tag,
          // Of partial answers and of 304 it goes without saying.
          ranges: status === 200 ? headers['accept-ranges'] : undefined,
          ...(status < 400 ? Object.fromEntries(compared.map((name) => [name, headers[name]])) : {}),
        }),
    ...(status === 416 ? { range: headers['content-range'] } : {}),
    ...(path === '/os_list.json' ? { list: body.toString().replaceAll(/127\.0\.0\.1:\d+/g, 'HOST') } : {}),
    ...(isListing && headers['content-type']?.includes('json') && body.length > 0 ? { rows: rowsOf(body) } : {}),
    ...(isListing && headers['content-type']?.includes('html') ? { links: linksOf(body) } : {}),
  };
}

type Row = { readonly name: string; readonly type: string; readonly size?: number };

function rowsOf(body: Buffer) {
  return (JSON.parse(body.toString()) as Row[]).map(({ name, type, size }) => [name, type, size]);
}

function linksOf(body: Buffer): readonly string[] {
  const links = [...body.toString().matchAll(/(?:<td>|\n)<a href="([^"]+)"/g)].map(([, link = '']) => link);
  return links.filter((link) => !link.startsWith('.')).sort();
}
