import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Io } from '../../src/cli/engine.ts';
import type { FetchRequest } from '../../src/cli/requests/delivery.ts';
import type { IngotEvent } from '../../src/core/events.ts';
import { fetchDelivered } from '../../src/engine/fetch.ts';
import { createHost } from '../../src/host/host.ts';
import { raw } from '../../src/kinds/formats/raw.ts';
import { storePaths } from '../../src/store/paths.ts';
import { openSmallDisk } from '../faults/small-disk.ts';
import { openChance } from '../support/seed.ts';

const mebibyte = 1024 * 1024;
const chance = openChance('fetch');
const host = createHost();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** How the server behaves; what it was asked for. */
const server = {
  port: 0,
  files: new Map<string, Buffer>(),
  /** Of each answer's body so many bytes are sent before the connection is cut; by turns. */
  cuts: [] as number[],
  hasRanges: true,
  sentBytes: 0,
};
let folder: string;
let stop: () => void;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-fetch-'));
  const http = createServer(answer).listen(0, '127.0.0.1');
  await once(http, 'listening');
  server.port = (http.address() as AddressInfo).port;
  stop = () => {
    http.close();
    http.closeAllConnections();
  };
  await makeVersions();
});
afterAll(async () => {
  stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  server.cuts = [];
  server.hasRanges = true;
  server.sentBytes = 0;
});

function answer({ url = '', headers: { range } }: IncomingMessage, reply: ServerResponse): void {
  const file = server.files.get(url);
  if (file === undefined) return void reply.writeHead(404).end();
  const [, first, last] = (server.hasRanges && /^bytes=(\d+)-(\d+)?$/.exec(range ?? '')) || [];
  const start = Number(first ?? 0);
  const part = file.subarray(start, last === undefined ? undefined : Number(last) + 1);
  const said =
    first === undefined ? {} : { 'content-range': `bytes ${start}-${start + part.length - 1}/${file.length}` };
  reply.writeHead(first === undefined ? 200 : 206, { 'content-length': part.length, ...said });
  const cut = part.length > 4096 ? server.cuts.shift() : undefined;
  server.sentBytes += Math.min(cut ?? part.length, part.length);
  if (cut === undefined) reply.end(part);
  else reply.write(part.subarray(0, cut), () => reply.destroy());
}

const at = (name: string) => join(folder, name);
const urlOf = (name: string) => `http://127.0.0.1:${server.port}/${name}`;
const versions = { one: Buffer.alloc(0), two: Buffer.alloc(0) };

/** Two disks of 24 MiB and as much of holes: in the second one 3 MiB are new, and all behind them is 3 MiB further back. */
async function makeVersions(): Promise<void> {
  const noise = (bytes: number) => {
    const data = Buffer.alloc(bytes);
    // Words that zstd makes less of, but not much less.
    for (let word = 0; word < bytes; word += 2) data.writeUInt16LE(Math.floor(chance.next() * 4096), word);
    return data;
  };
  const [front, back, fresh] = [noise(8 * mebibyte), noise(16 * mebibyte), noise(3 * mebibyte)];
  const disks = { one: [front, back], two: [front, fresh, back] };
  const ctx = { host, signal: new AbortController().signal, emit: () => undefined, step: 'x' };
  for (const name of ['one', 'two'] as const) {
    const file = await open(at(`${name}.raw`), 'w');
    await file.writeFile(Buffer.concat(disks[name]));
    await file.truncate(48 * mebibyte);
    await file.close();
    const output = at(`${name}.raw.zst`);
    const image = { name, arch: 'x86_64', firmware: ['bios'] } as const;
    await raw.write(raw.options.parse({ compression: 'zstd' }), { disk: at(`${name}.raw`), output, image }, ctx);
    versions[name] = await readFile(output);
    serve(`${name}/web.raw.zst`, versions[name], await readFile(`${output}.chunks`));
  }
}

function serve(
  path: string,
  file: Buffer,
  list?: Buffer,
  sums: string | undefined = `${sha256(file)}  web.raw.zst\n`,
): void {
  server.files.set(`/${path}`, file);
  if (list !== undefined) server.files.set(`/${path}.chunks`, list);
  server.files.set(`/${path}.sha256`, Buffer.from(sums));
}

let count = 0;
async function emptyFolder(): Promise<string> {
  const path = at(`to-${count++}`);
  await mkdir(path);
  return path;
}

function fetchInto(cwd: string, request: Partial<FetchRequest> = {}, more: Partial<Io> = {}) {
  const events: IngotEvent[] = [];
  const io: Io = {
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    withTerminal: (run) => run(),
    ...more,
  };
  const home = { paths: storePaths(at('home')), host, cwd };
  const done = fetchDelivered(home, { url: urlOf('two/web.raw.zst'), seeds: [], ...request }, io);
  return Object.assign(done, { events });
}

test('with the file of an older version only what is new is fetched, and once', async () => {
  const to = await emptyFolder();
  await writeFile(join(to, 'web.raw.zst'), versions.one);
  const fetched = await fetchInto(to);
  expect(fetched).toMatchObject({ how: 'chunks', sha256: sha256(versions.two), bytes: versions.two.length });
  expect(fetched.fetchedBytes).toBe(server.sentBytes);
  expect(fetched.fetchedBytes / versions.two.length).toBeLessThan(0.2);
  expect((await readFile(join(to, 'web.raw.zst'))).equals(versions.two)).toBe(true);
  expect(await fetchInto(to)).toMatchObject({ how: 'unchanged', reusedBytes: versions.two.length });
  expect(await readdir(to)).toEqual(['web.raw.zst']);
});

test('a disk is a seed as well as a file of chunks, and without any all is fetched', async () => {
  const to = await emptyFolder();
  const [seeded, plain] = [join(to, 'seeded'), join(to, 'plain')];
  const { fetchedBytes } = await fetchInto(to, { output: seeded, seeds: [at('one.raw')] });
  expect(fetchedBytes / versions.two.length).toBeLessThan(0.2);
  const all = await fetchInto(to, { output: plain });
  expect(all.fetchedBytes).toBeGreaterThan(versions.two.length);
  for (const path of [seeded, plain]) expect((await readFile(path)).equals(versions.two)).toBe(true);
});

test('connections that are cut are asked again, and a run that was ended is gone on with', async () => {
  const to = await emptyFolder();
  server.cuts = [100_000, 5, 1_000_000, 0];
  const fetched = fetchInto(to);
  await fetched;
  // The first cut met the list, which is fetched as any file.
  expect(fetched.events.filter(({ type }) => type === 'warning').length).toBe(3);
  expect((await readFile(join(to, 'web.raw.zst'))).equals(versions.two)).toBe(true);

  const ended = await emptyFolder();
  const ending = new AbortController();
  const emit = (event: IngotEvent) => {
    if (event.type === 'progress' && event.done > versions.two.length / 2) ending.abort(new Error('enough'));
  };
  await expect(fetchInto(ended, {}, { signal: ending.signal, emit })).rejects.toThrow('enough');
  expect(await readdir(ended)).toEqual(['.web.raw.zst.ingot-fetch']);
  const { fetchedBytes } = await fetchInto(ended);
  expect(fetchedBytes).toBeLessThan(versions.two.length * 0.95);
  expect(await readdir(ended)).toEqual(['web.raw.zst']);
  expect((await readFile(join(ended, 'web.raw.zst'))).equals(versions.two)).toBe(true);
});

test('a server without ranges, or without a list, sends all of it', async () => {
  const to = await emptyFolder();
  server.hasRanges = false;
  const fetched = fetchInto(to);
  expect(await fetched).toMatchObject({ how: 'whole', sha256: sha256(versions.two) });
  expect(fetched.events.find(({ type }) => type === 'warning')).toMatchObject({
    message: expect.stringContaining('whole') as string,
  });
  serve('plain/web.raw.zst', versions.one);
  expect(await fetchInto(to, { url: urlOf('plain/web.raw.zst') })).toMatchObject({ how: 'whole' });
  expect((await readFile(join(to, 'web.raw.zst'))).equals(versions.one)).toBe(true);
});

test('what does not fit together is refused, and the older file stays', async () => {
  const to = await emptyFolder();
  await writeFile(join(to, 'web.raw.zst'), versions.one);
  const list = await readFile(at('two.raw.zst.chunks'));
  const damaged = Buffer.from(versions.two);
  const middle = versions.two.length >> 1;
  for (let byte = 0; byte < versions.two.length; byte += 50_000) damaged[byte] = (damaged[byte] ?? 0) ^ 1;
  serve('damaged/web.raw.zst', damaged, list, `${sha256(versions.two)}  web.raw.zst\n`);
  serve('older/web.raw.zst', versions.one, list);
  serve('shorter/web.raw.zst', versions.two.subarray(0, middle), list, `${sha256(versions.two)}\n`);
  serve('list/web.raw.zst', versions.two, list.subarray(0, -1));
  server.files.set('/bare/web.raw.zst', versions.two);
  for (const name of ['damaged', 'older', 'shorter', 'list', 'bare']) {
    const fetched = fetchInto(to, { url: urlOf(`${name}/web.raw.zst`) });
    await expect(fetched).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  }
  await expect(fetchInto(to, { sha256: '0'.repeat(64) })).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  await expect(fetchInto(to, { seeds: [at('nowhere')] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(fetchInto(to, { url: 'file:///etc/passwd' })).rejects.toMatchObject({ code: 'USAGE' });
  await expect(fetchInto(join(to, 'nowhere'))).rejects.toMatchObject({ code: 'USAGE' });
  expect((await readFile(join(to, 'web.raw.zst'))).equals(versions.one)).toBe(true);
  // Whatever is left of all that is looked at before it is used.
  await fetchInto(to);
  expect((await readFile(join(to, 'web.raw.zst'))).equals(versions.two)).toBe(true);
  expect(await readdir(to)).toEqual(['web.raw.zst']);
});

test('a full disk is told with what is needed; the older file stays', async () => {
  const disk = await openSmallDisk(at('disk'));
  try {
    await writeFile(join(disk.outside, 'web.raw.zst'), versions.one);
    await disk.leave({ bytes: mebibyte });
    const fetched = fetchInto(disk.outside);
    await expect(fetched).rejects.toMatchObject({ code: 'NO_SPACE', bytes: expect.any(Number) as number });
    const visible = async () => (await readdir(disk.outside)).filter((name) => !name.startsWith('.'));
    expect(await visible()).toEqual(['web.raw.zst']);
    expect((await readFile(join(disk.outside, 'web.raw.zst'))).equals(versions.one)).toBe(true);
    await disk.leave({});
    await fetchInto(disk.outside);
    expect((await readFile(join(disk.outside, 'web.raw.zst'))).equals(versions.two)).toBe(true);
  } finally {
    await disk.close();
  }
});
