import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type FetchRequest, fetchFile } from './fetch.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const pace = { stallMs: 5000, backoffMs: 1, retries: 5 };
const bytes = randomBytes(300_000);
const sha256 = digestOf(bytes);

let folder = '';
let server: Server;
let origin = '';
let seen: IncomingMessage[] = [];
let answers: Answer[] = [];
const retries: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-fetch-'));
  seen = [];
  answers = [];
  retries.length = 0;
  server = createServer((request, response) => {
    // The last answer stands for all that follow.
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    seen.push(request);
    answer?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

function digestOf(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function get(more: globalThis.Partial<FetchRequest> = {}) {
  const request = {
    url: `${origin}/file`,
    to: join(folder, 'file'),
    digest: { sha256 },
    signal: new AbortController().signal,
    pace,
  };
  return fetchFile({ ...request, onRetry: (why) => retries.push(why), ...more });
}

const got = () => readFile(join(folder, 'file'));
const ranges = () => seen.map((request) => request.headers.range);

type Serving = {
  readonly data?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Close the connection after so many bytes of the body. */
  readonly cutAfter?: number;
  /** Reset it instead: what is on its way is lost too. */
  readonly reset?: boolean;
};

const strong = { etag: '"one"' };

/** A server that does ranges as RFC 9110 says. */
function serve({ data = bytes, headers = strong, cutAfter = Infinity, reset = false }: Serving = {}): Answer {
  return (request, response) => {
    const condition = request.headers['if-range'];
    const same = condition === undefined || condition === headers['etag'] || condition === headers['last-modified'];
    const start = same ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
    if (start >= data.length) {
      response.writeHead(416, { 'content-range': `bytes */${data.length}` }).end();
      return;
    }
    const body = data.subarray(start);
    const partial = start > 0 ? { 'content-range': `bytes ${start}-${data.length - 1}/${data.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { ...headers, ...partial, 'content-length': body.length });
    if (cutAfter >= body.length) response.end(body);
    else response.write(body.subarray(0, cutAfter), () => (reset ? response.destroy() : response.socket?.end()));
  };
}

function status(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_request, response) => response.writeHead(code, headers).end('no');
}

test('a file arrives whole under its name, and nothing else is left', async () => {
  answers = [serve()];
  const progress: [number, number | undefined][] = [];
  const fetched = await get({ onProgress: (done, total) => progress.push([done, total]) });
  expect(fetched).toEqual({ bytes: bytes.length });
  expect(await got()).toEqual(bytes);
  expect(await readdir(folder)).toEqual(['file']);
  expect(progress.at(-1)).toEqual([bytes.length, bytes.length]);
});

test('a download cut at any byte goes on from there', async () => {
  const seed = Number(process.env['SEED'] ?? randomBytes(4).readUInt32BE());
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  for (let round = 0; round < 20; round++) {
    seen = [];
    const cuts = [random(bytes.length), random(bytes.length), random(1000)];
    answers = [...cuts.map((cutAfter, index) => serve({ cutAfter, reset: index === 1 })), serve()];
    await get();
    expect(digestOf(await got()), `SEED=${seed} round ${round}, cuts ${cuts.join(' ')}`).toBe(sha256);
    // A cut may reach us before any byte does; what has come is never asked for again.
    const starts = ranges().map((range) => Number(/\d+/.exec(range ?? '0')?.[0]));
    expect(starts, `SEED=${seed} round ${round}`).toEqual(starts.toSorted((a, b) => a - b));
  }
  expect(retries.length).toBeGreaterThanOrEqual(20);
});

test('the next process goes on where the last one stopped', async () => {
  answers = [serve({ cutAfter: 100_000 })];
  await expect(get({ pace: { ...pace, retries: 0 } })).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    hint: expect.stringContaining('goes on'),
  });
  const kept = (await readFile(join(folder, 'file.part'))).length;
  answers = [serve()];
  await get();
  expect(await got()).toEqual(bytes);
  expect(ranges().at(-1)).toBe(`bytes=${kept}-`);
  expect(await readdir(folder)).toEqual(['file']);
});

test('what another address left is not gone on with', async () => {
  answers = [serve({ cutAfter: 100_000 })];
  await expect(get({ url: `${origin}/other`, pace: { ...pace, retries: 0 } })).rejects.toThrow(
    'could not be downloaded',
  );
  answers = [serve()];
  await get();
  expect(ranges()).toEqual([undefined, undefined]);
});

test('content that changes between two tries is fetched from its start', async () => {
  const newer = randomBytes(200_000);
  answers = [serve({ cutAfter: 150_000 }), serve({ data: newer, headers: { etag: '"two"' } })];
  await get({ digest: { sha256: digestOf(newer) } });
  expect(await got()).toEqual(newer);
  expect(retries).not.toContain('the parts of the download do not fit together');
});

test('a part of another version, sent in spite of If-Range, is not appended', async () => {
  const newer = randomBytes(300_000);
  const careless: Answer = (request, response) => {
    delete request.headers['if-range'];
    serve({ data: newer, headers: { etag: '"two"' } })(request, response);
  };
  answers = [serve({ cutAfter: 150_000 }), careless];
  await get({ digest: { sha256: digestOf(newer) } });
  expect(await got()).toEqual(newer);
  expect(retries).not.toContain('the parts of the download do not fit together');
});

test.each([
  ['another place', { 'content-range': 'bytes 7-299999/300000' }],
  ['another size', { 'content-range': 'bytes 0-9/10' }],
  ['no place', {}],
])('a part from %s is not appended', async (_name, headers) => {
  const wrong: Answer = (_request, response) => response.writeHead(206, { ...strong, ...headers }).end('0123456789');
  answers = [serve({ cutAfter: 1000 }), wrong, serve()];
  await get();
  expect(await got()).toEqual(bytes);
  expect(retries).not.toContain('the parts of the download do not fit together');
});

test('a server that ignores ranges makes it start over', async () => {
  const whole: Answer = (request, response) => {
    delete request.headers.range;
    serve()(request, response);
  };
  answers = [serve({ cutAfter: 150_000 }), whole];
  await get();
  expect(await got()).toEqual(bytes);
  expect(retries).not.toContain('the parts of the download do not fit together');
});

test.each([
  ['a weak entity tag', { etag: 'W/"one"' }, undefined],
  ['nothing', {}, undefined],
  [
    'a date of change in the same second',
    { 'last-modified': 'Sat, 15 Nov 2025 10:00:00 GMT', date: 'Sat, 15 Nov 2025 10:00:00 GMT' },
    undefined,
  ],
  [
    'an old date of change',
    { 'last-modified': 'Sat, 15 Nov 2025 10:00:00 GMT', date: 'Sat, 15 Nov 2025 10:00:05 GMT' },
    'Sat, 15 Nov 2025 10:00:00 GMT',
  ],
])('with %s for a version, it goes on only when that is safe', async (_name, headers, condition) => {
  answers = [serve({ headers, cutAfter: 150_000 }), serve({ headers })];
  await get();
  expect(await got()).toEqual(bytes);
  expect(seen[1]?.headers['if-range']).toBe(condition);
  expect(seen[1]?.headers.range === undefined).toBe(condition === undefined);
});

/** All bytes without a length and without an end. */
const unfinished: Answer = (_request, response) => {
  response.writeHead(200, strong).write(bytes, () => response.socket?.end());
};

test('a complete file of unknown length is complete when the server has no more (416)', async () => {
  answers = [unfinished, serve()];
  await get();
  expect(await got()).toEqual(bytes);
  expect(ranges()).toEqual([undefined, `bytes=${bytes.length}-`]);
});

test('a 416 of a shorter file makes it start over', async () => {
  const short = randomBytes(1000);
  const careless: Answer = (request, response) => {
    delete request.headers['if-range'];
    serve({ data: short })(request, response);
  };
  answers = [serve({ cutAfter: 150_000 }), careless];
  await get({ digest: { sha256: digestOf(short) } });
  expect(await got()).toEqual(short);
});

test('parts that do not fit together are fetched once more in one piece', async () => {
  answers = [serve({ data: randomBytes(300_000), cutAfter: 150_000 }), serve()];
  await get();
  expect(await got()).toEqual(bytes);
  expect(ranges().at(-1)).toBeUndefined();
});

test('other bytes than asked for are refused, both digests shown, and removed', async () => {
  answers = [serve()];
  const asked = '0'.repeat(64);
  await expect(get({ digest: { sha256: asked } })).rejects.toMatchObject({
    code: 'INPUT_REFUSED',
    detail: [`expected ${asked}`, `received ${sha256}`, '300000 bytes, removed'],
  });
  expect(await readdir(folder)).toEqual([]);
  expect(seen).toHaveLength(1);
});

test('a SHA-512 is as good as a SHA-256', async () => {
  answers = [serve({ cutAfter: 100_000 }), serve()];
  const sha512 = createHash('sha512').update(bytes).digest('hex');
  await get({ digest: { sha512 } });
  expect(await got()).toEqual(bytes);
  const wrong = '0'.repeat(128);
  await expect(get({ digest: { sha512: wrong } })).rejects.toMatchObject({
    message: expect.stringContaining('its SHA-512 differs'),
    detail: [`expected ${wrong}`, `received ${sha512}`, '300000 bytes, removed'],
  });
});

test('without a digest a file is taken as it is, and never put together by two processes', async () => {
  answers = [serve({ cutAfter: 100_000 })];
  const free = { url: `${origin}/file`, to: join(folder, 'file') };
  const signal = new AbortController().signal;
  await expect(fetchFile({ ...free, signal, pace: { ...pace, retries: 0 } })).rejects.toThrow(
    'could not be downloaded',
  );
  answers = [serve()];
  expect(await fetchFile({ ...free, signal, pace })).toEqual({ bytes: bytes.length });
  expect(await got()).toEqual(bytes);
  expect(ranges()).toEqual([undefined, undefined]);
});

test('a body that never ends is stopped at the limit', async () => {
  const flood: Answer = (_request, response) => {
    const chunk = Buffer.alloc(65536);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      response.once('drain', more);
    };
    response.writeHead(200, strong);
    more();
  };
  answers = [flood];
  await expect(get({ maxBytes: 1_000_000 })).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  expect(await readdir(folder)).toEqual([]);
});

test('a file that is declared longer than the limit is refused before its first byte', async () => {
  answers = [serve()];
  const progress = vi.fn<() => void>();
  await expect(get({ maxBytes: 1000, onProgress: progress })).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  expect(progress).not.toHaveBeenCalled();
  expect(await readdir(folder)).toEqual([]);
});

test('a file that cannot fit says how many bytes are needed', async () => {
  answers = [
    (_request, response) => response.writeHead(200, { ...strong, 'content-length': String(2 ** 52) }).write('x'),
  ];
  await expect(get()).rejects.toMatchObject({ code: 'NO_SPACE', message: expect.stringContaining(`${2 ** 52} bytes`) });
});

test.each<[string, Answer]>([
  ['says nothing', () => undefined],
  ['stops in the middle', (_request, response) => response.writeHead(200, strong).write(bytes.subarray(0, 100_000))],
  [
    'drips',
    (_request, response) => {
      response.writeHead(200, strong);
      let at = 0;
      const timer = setInterval(() => response.write(bytes.subarray(at, ++at)), 20);
      response.on('close', () => clearInterval(timer));
    },
  ],
])('a server that %s is given up and asked again', async (_name, answer) => {
  answers = [answer, serve()];
  await get({ pace: { ...pace, stallMs: 300 } });
  expect(await got()).toEqual(bytes);
  expect(new Set(retries)).toEqual(new Set(['no data came for 0.3 s']));
});

test('an answer that is shorter than it says is no whole file', async () => {
  answers = [serve({ cutAfter: 5 }), serve()];
  await get();
  expect(await got()).toEqual(bytes);
  expect(retries).toHaveLength(1);
});

test('a busy server is asked again after the time it names', async () => {
  answers = [status(503), status(429, { 'retry-after': '0' }), status(500), serve()];
  await get();
  expect(retries).toEqual(['the server answered 503', 'the server answered 429', 'the server answered 500']);
});

test('a server that stays broken is given up after so many tries', async () => {
  answers = [status(503)];
  await expect(get()).rejects.toMatchObject({ code: 'TOOL_FAILED', message: expect.stringContaining('answered 503') });
  expect(seen).toHaveLength(6);
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  [404, 'NOT_FOUND'],
  [410, 'NOT_FOUND'],
  [401, 'AUTH'],
  [403, 'AUTH'],
  [400, 'TOOL_FAILED'],
  [416, 'TOOL_FAILED'],
])('an answer %i is final: %s', async (code, error) => {
  answers = [status(code)];
  await expect(get()).rejects.toMatchObject({ code: error });
  expect(seen).toHaveLength(1);
});

test('nobody listening is a plain error after the tries', async () => {
  server.close();
  await expect(get()).rejects.toMatchObject({ code: 'TOOL_FAILED', message: expect.stringContaining('was refused') });
  expect(retries).toHaveLength(5);
});

test('a cancelled download stops at once and keeps what it has', async () => {
  const controller = new AbortController();
  answers = [(_request, response) => response.writeHead(200, strong).write(bytes.subarray(0, 100_000))];
  const reason = new Error('stop');
  const running = get({ signal: controller.signal, onProgress: () => controller.abort(reason) });
  await expect(running).rejects.toBe(reason);
  expect((await readdir(folder)).toSorted()).toEqual(['file.part', 'file.part.json']);
});

test('redirects are followed, and resumed downloads follow them again', async () => {
  const moved = status(302, { location: '/moved' });
  answers = [moved, serve({ cutAfter: 100_000 }), moved, serve()];
  await get();
  expect(await got()).toEqual(bytes);
  expect(seen.map((request) => request.url)).toEqual(['/file', '/moved', '/file', '/moved']);
});

test('redirects without end are given up', async () => {
  answers = [status(302, { location: '/file' })];
  await expect(get()).rejects.toMatchObject({ code: 'TOOL_FAILED', message: expect.stringContaining('10 times') });
});

test('a redirect away from http is refused', async () => {
  await writeFile(join(folder, 'secret'), bytes);
  answers = [status(302, { location: `file://${folder}/secret` })];
  await expect(get()).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
});

test('a server somewhere else cannot send us to this machine, and proxies come from the environment', async () => {
  vi.stubEnv('http_proxy', origin);
  vi.stubEnv('no_proxy', '127.0.0.1');
  answers = [status(302, { location: `${origin}/secret` }), serve()];
  await expect(get({ url: 'http://elsewhere.invalid/file?token=x' })).rejects.toMatchObject({
    code: 'INPUT_REFUSED',
    message: expect.stringMatching(/^http:\/\/elsewhere\.invalid\/file\?\.\.\. redirects to this machine/),
  });
  expect(seen.map((request) => request.url)).toEqual(['http://elsewhere.invalid/file?token=x']);
});
