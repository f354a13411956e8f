import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventBody } from '../core/events.ts';
import { createHost } from '../host/host.ts';
import { storePaths } from './paths.ts';
import { unpackedFile } from './unpacked.ts';

const disk = randomBytes(100_000);
const packed = gzipSync(disk);
const sha256 = createHash('sha256').update(packed).digest('hex');

let home = '';
let events: EventBody[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-unpacked-'));
  events = [];
  await writeFile(join(home, 'packed'), packed);
});
afterEach(() => rm(home, { recursive: true }));

async function ask(name = 'a.raw.gz', bytes = packed): Promise<string> {
  const path = join(home, bytes === packed ? 'packed' : 'other');
  if (bytes !== packed) await writeFile(path, bytes);
  const ctx = {
    host: createHost(),
    step: 'source',
    signal: new AbortController().signal,
    emit: (event: EventBody) => events.push(event),
  };
  return unpackedFile(storePaths(home), { path, name, digest: { sha256 } }, ctx);
}

const unpackings = () => events.filter((event) => event.type === 'log' && event.line === 'unpacking a.raw.gz').length;

test('what is compressed is unpacked once, however many ask', async () => {
  const found = await Promise.all(Array.from({ length: 6 }, () => ask()));
  expect(new Set(found).size).toBe(1);
  expect((await readFile(await ask())).equals(disk)).toBe(true);
  expect(unpackings()).toBe(1);
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'progress', done: packed.length, total: packed.length }),
  );
});

test('a kept disk in which a bit was flipped, or that lost its end, is made again with a warning', async () => {
  for (const harm of ['flip', 'cut', 'record'] as const) {
    const path = await ask();
    const handle = await open(path, 'r+');
    if (harm === 'flip') await handle.write(Buffer.from([(disk[50_000] ?? 0) ^ 1]), 0, 1, 50_000);
    if (harm === 'cut') await handle.truncate(99_999);
    await handle.close();
    if (harm === 'record') await rm(`${path}.content`);
    events = [];
    expect((await readFile(await ask())).equals(disk)).toBe(true);
    expect(events.map(({ type }) => type)).toContain('warning');
    expect(unpackings()).toBe(1);
  }
});

test('what a killed unpacker left is no obstacle', async () => {
  const path = await ask();
  await rm(path);
  await writeFile(join(home, 'store', 'kept', `.unpacked${sha256}.partial`), 'half');
  expect((await readFile(await ask())).equals(disk)).toBe(true);
});

test('what is not compressed stays as it is; a name that says otherwise is refused', async () => {
  expect(await ask('a.raw', disk)).toBe(join(home, 'other'));
  await expect(ask('a.raw.xz', Buffer.from('<html>'))).rejects.toMatchObject({
    code: 'INPUT_REFUSED',
    message: 'a.raw.xz is not compressed as its name says: it does not begin as .xz files do',
  });
});

test('a damaged file leaves nothing in the store', async () => {
  await expect(ask('a.raw.gz', packed.subarray(0, 50_000))).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  expect(await readdir(join(home, 'store', 'kept'))).toEqual([]);
});
