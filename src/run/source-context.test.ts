import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { qcow2Image, rawImage } from '../../test/support/disk-images.ts';
import type { Context } from '../core/context.ts';
import type { EventBody } from '../core/events.ts';
import type { Json } from '../core/keys.ts';
import { createHost } from '../host/host.ts';
import { diskImage } from '../kinds/sources/disk-image.ts';
import { storePaths } from '../store/paths.ts';
import { pinContext, sourceContext } from './source-context.ts';
import type { Workshop } from './workshop.ts';

let home = '';
let server: Server;
let origin = '';
let served: Record<string, Buffer> = {};
/** Paths that were asked for, with the first byte that was wanted. */
let seen: string[] = [];
let events: EventBody[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-source-'));
  await mkdir(join(home, 'work'));
  [served, seen, events] = [{}, [], []];
  server = createServer((request, response) => {
    const path = request.url ?? '';
    const body = served[path.slice(1)];
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    seen.push(start === 0 ? path : `${path} from ${start}`);
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    const etag = `"${createHash('sha256').update(body).digest('hex')}"`;
    const range = start > 0 ? { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { etag, ...range, 'content-length': body.length - start });
    response.end(body.subarray(start));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(home, { recursive: true });
});

function place(): { readonly workshop: Workshop; readonly ctx: Context } {
  const host = createHost();
  const workshop = { host, paths: storePaths(home), root: home } as unknown as Workshop;
  const emit = (event: EventBody) => events.push(event);
  return { workshop, ctx: { host, signal: new AbortController().signal, emit, step: 'source' } };
}

async function pin(written: object): Promise<Json> {
  const { workshop, ctx } = place();
  const options = diskImage.options.parse(written);
  return (await diskImage.pin?.(options, 'x86_64', pinContext(workshop, ctx))) ?? null;
}

async function disk(written: object, pinned: Json = null) {
  const { workshop, ctx } = place();
  const unasked = () => Promise.reject(new Error('not asked'));
  const given = { name: 'base', folder: join(home, 'work'), image: unasked, install: unasked };
  const source = sourceContext(workshop, given, ctx);
  return diskImage.disk?.(diskImage.options.parse(written), { arch: 'x86_64', pin: pinned }, source);
}

const digestOf = (bytes: Buffer, algorithm = 'sha256') => createHash(algorithm).update(bytes).digest('hex');
const inputs = () => readdir(join(home, 'store', 'inputs')).catch(() => []);

test('a compressed cloud image is looked up in its list, fetched, checked, unpacked and looked at; once', async () => {
  const packed = execFileSync('xz', ['--stdout'], { input: rawImage() });
  served = { 'disk.raw.xz': packed, SHA512SUMS: Buffer.from(`${digestOf(packed, 'sha512')}  disk.raw.xz\n`) };
  const written = { url: `${origin}/disk.raw.xz`, checksum: { file: `${origin}/SHA512SUMS` } };
  const pinned = await pin(written);
  const first = await disk(written, pinned);
  expect(first?.format).toBe('raw');
  expect((await readFile(first?.path ?? '')).equals(rawImage())).toBe(false);
  expect((await readFile(first?.path ?? '')).length).toBe(rawImage().length);
  expect(await disk(written, pinned)).toEqual(first);
  expect(seen).toEqual(['/SHA512SUMS', '/disk.raw.xz']);
  expect(events.filter((event) => event.type === 'log' && event.line.startsWith('unpacking'))).toHaveLength(1);
});

test('other bytes than the list says are refused and nothing of them stays', async () => {
  served = { 'disk.qcow2': qcow2Image(), SHA256SUMS: Buffer.from(`${'0'.repeat(64)}  disk.qcow2\n`) };
  const written = { url: `${origin}/disk.qcow2`, checksum: { file: `${origin}/SHA256SUMS` } };
  await expect(disk(written, await pin(written))).rejects.toMatchObject({
    code: 'INPUT_REFUSED',
    hint: expect.stringContaining('ingot pins update'),
  });
  expect(await inputs()).toEqual([]);
});

test('a hostile disk of the right digest is refused, and so is a damaged one', async () => {
  const hostile = qcow2Image();
  hostile.writeUInt32BE(4, 76);
  const whole = execFileSync('gzip', ['--stdout'], { input: rawImage() });
  served = {
    'a.qcow2': hostile,
    'b.raw.gz': whole.subarray(0, whole.length - 9),
  };
  for (const [name, bytes] of Object.entries(served)) {
    const written = { url: `${origin}/${name}`, checksum: `sha256:${digestOf(bytes)}` };
    await expect(disk(written)).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  }
  expect(await readdir(join(home, 'store', 'kept'))).toEqual([]);
});

test('an artifact of Ingot is taken by its sidecar, from a server or a folder', async () => {
  const bytes = qcow2Image();
  const line = Buffer.from(`${digestOf(bytes)}  debian-12.qcow2\n`);
  served = { 'debian-12.qcow2': bytes, 'debian-12.qcow2.sha256': line };
  await writeFile(join(home, 'debian-12.qcow2'), bytes);
  await writeFile(join(home, 'debian-12.qcow2.sha256'), line);
  for (const url of [`${origin}/debian-12.qcow2`, `file://${home}/debian-12.qcow2`]) {
    const written = { url, checksum: 'sidecar' };
    const found = await disk(written, await pin(written));
    expect(found).toEqual({ path: join(home, 'store', 'inputs', digestOf(bytes)), format: 'qcow2' });
  }
});

/** A process of its own that asks for an input and says when bytes come and when it has them. */
function asker(url: string, sha256: string): ChildProcess {
  const module = (path: string) => JSON.stringify(new URL(`../${path}`, import.meta.url).href);
  const program = `
    import { createHost } from ${module('host/host.ts')};
    import { fetchInput } from ${module('store/inputs.ts')};
    import { storePaths } from ${module('store/paths.ts')};
    const emit = (event) => event.type === 'progress' && console.log('coming');
    const ctx = { host: createHost(), step: 's', signal: new AbortController().signal, emit };
    console.log(await fetchInput(storePaths(${JSON.stringify(home)}), ${JSON.stringify({ url, sha256 })}, ctx));
  `;
  return spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
}

test('processes share one transfer; when the one that fetches is killed, another goes on', async () => {
  const body = randomBytes(3_000_000);
  const half = Promise.withResolvers<void>();
  let connections = 0;
  server.removeAllListeners('request').on('request', (request, response) => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    seen.push(String(start > 0));
    const range = start > 0 ? { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { etag: '"one"', ...range, 'content-length': body.length - start });
    connections += 1;
    // The first one gets half of it and waits for the rest.
    if (connections > 1) response.end(body.subarray(start));
    else response.write(body.subarray(0, 1_500_000), () => half.resolve());
  });
  const children = Array.from({ length: 5 }, () => asker(`${origin}/disk`, digestOf(body)));
  const found = children.map(async (child) => {
    const exited = once(child, 'exit');
    let last = '';
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      if (line === 'coming' && last === '' && seen.length === 1) void half.promise.then(() => child.kill('SIGKILL'));
      last = line;
    }
    await exited;
    return child.signalCode ?? last;
  });
  const ends = await Promise.all(found);
  expect(ends.filter((end) => end === 'SIGKILL')).toHaveLength(1);
  expect(ends.filter((end) => end === join(home, 'store', 'inputs', digestOf(body)))).toHaveLength(4);
  expect(seen).toEqual(['false', 'true']);
});
