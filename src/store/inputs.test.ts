import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventBody } from '../core/events.ts';
import type { FetchRequest } from '../host/fetch.ts';
import { createHost } from '../host/host.ts';
import { fetchInput, type Input, readNow } from './inputs.ts';

const bytes = Buffer.from('the bytes');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const input = { url: 'https://a.example/file', sha256 };

let home = '';
let events: EventBody[] = [];
let fetched: FetchRequest[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-inputs-'));
  events = [];
  fetched = [];
});
afterEach(() => rm(home, { recursive: true }));

async function fetch(request: FetchRequest) {
  fetched.push(request);
  request.onProgress?.(bytes.length, bytes.length);
  await setTimeout(10, undefined, { signal: request.signal });
  await mkdir(join(home, 'inputs'), { recursive: true });
  await writeFile(request.to, bytes);
  return { bytes: bytes.length };
}

const paths = () => ({ inputs: join(home, 'inputs'), locks: join(home, 'locks'), work: join(home, 'work') });
const context = (signal = new AbortController().signal) => {
  return { host: createHost(), step: 'source', signal, emit: (event: EventBody) => events.push(event) };
};

function ask(signal = new AbortController().signal, how = fetch) {
  return fetchInput(paths(), input, context(signal), how);
}

test('an input lies under its digest and is fetched once', async () => {
  const path = await ask();
  expect(path).toBe(join(home, 'inputs', sha256));
  expect(await ask()).toBe(path);
  expect(fetched).toHaveLength(1);
  expect(events).toContainEqual({ type: 'progress', id: 'source', done: 9, total: 9, unit: 'bytes' });
});

test('many who ask at once share one download', async () => {
  const found = await Promise.all(Array.from({ length: 8 }, () => ask()));
  expect(new Set(found).size).toBe(1);
  expect(fetched).toHaveLength(1);
});

test('one who gives up does not take the download from those who wait', async () => {
  const controller = new AbortController();
  const first = ask(controller.signal);
  const second = ask();
  controller.abort(new Error('stop'));
  await expect(first).rejects.toThrow('stop');
  expect(await second).toBe(join(home, 'inputs', sha256));
});

test('a failed download is an error for the one who asked, and the next one tries again', async () => {
  const broken = () => Promise.reject(new Error('no network'));
  await expect(ask(undefined, broken)).rejects.toThrow('no network');
  expect(await ask()).toContain(sha256);
});

test('a kept file whose bytes changed is set aside and fetched again, with a warning', async () => {
  const path = await ask();
  await writeFile(path, 'rotten');
  expect(await ask()).toBe(path);
  expect(await readFile(path)).toEqual(bytes);
  expect(await readFile(`${path}.damaged`, 'utf8')).toBe('rotten');
  expect(events.filter((event) => event.type === 'warning')).toHaveLength(1);
  expect((await readdir(join(home, 'inputs'))).toSorted()).toEqual([sha256, `${sha256}.damaged`]);
});

const digestOf = (algorithm: string, data: Buffer) => createHash(algorithm).update(data).digest('hex');

test.each(['sha256', 'sha512'] as const)(
  'a file of this machine is copied under its %s, and only when that fits',
  async (algorithm) => {
    const from = join(home, 'a disk.img');
    const data = Buffer.alloc(3 * 1024 * 1024 + 5);
    data.write('end', data.length - 3);
    await writeFile(from, data);
    const ask = (hex: string) =>
      fetchInput(paths(), { url: pathToFileURL(from).href, [algorithm]: hex } as Input, context());
    const hex = digestOf(algorithm, data);
    const path = await ask(hex);
    expect(path).toBe(join(home, 'inputs', hex));
    expect((await readFile(path)).equals(data)).toBe(true);
    const other = digestOf(algorithm, bytes);
    await expect(ask(other)).rejects.toMatchObject({
      code: 'INPUT_REFUSED',
      message: `${from} is not the file that was asked for: its ${algorithm.replace('sha', 'SHA-')} differs`,
      detail: [`expected ${other}`, `received ${hex}`],
    });
    expect(await readdir(join(home, 'inputs'))).toEqual([hex]);
    await rm(from);
    expect(await ask(hex)).toBe(path);
    await expect(ask(other)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  },
);

test('a small file is read as it is now, and nothing is kept', async () => {
  const from = join(home, 'SHA256SUMS');
  await writeFile(from, 'one');
  expect(String(await readNow(paths(), pathToFileURL(from).href, context()))).toBe('one');
  await writeFile(from, 'two');
  expect(String(await readNow(paths(), pathToFileURL(from).href, context()))).toBe('two');
  await writeFile(from, Buffer.alloc(16 * 1024 * 1024 + 1));
  await expect(readNow(paths(), pathToFileURL(from).href, context())).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  expect(await readdir(join(home, 'work'))).toEqual([]);
});
