import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventBody } from '../core/events.ts';
import { createHost } from '../host/host.ts';
import { storePaths } from './paths.ts';
import { unpackedFile } from './unpacked.ts';

const disk = Buffer.concat([randomBytes(100_000), Buffer.alloc(2_000_000), randomBytes(1000)]);
const packed = gzipSync(disk);
const sha256 = createHash('sha256').update(packed).digest('hex');

let home = '';
let events: EventBody[] = [];
let fetched = 0;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-unpacked-'));
  events = [];
  fetched = 0;
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
  const fetch = async () => {
    fetched += 1;
    return path;
  };
  return unpackedFile(storePaths(home), { name, digest: { sha256 }, fetch }, ctx);
}

const unpackings = () => events.filter((event) => event.type === 'log' && event.line === 'unpacking a.raw.gz').length;

test('what is compressed is unpacked once, however many ask', async () => {
  const found = await Promise.all(Array.from({ length: 6 }, () => ask()));
  expect(new Set(found).size).toBe(1);
  await rm(join(home, 'packed'));
  fetched = 0;
  expect((await readFile(await ask())).equals(disk)).toBe(true);
  expect([unpackings(), fetched]).toEqual([1, 0]);
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'progress', done: packed.length, total: packed.length }),
  );
});

test.each<[string, (handle: FileHandle, path: string) => Promise<unknown>, number]>([
  ['in which a bit was flipped', (handle) => handle.write(Buffer.from([(disk[50_000] ?? 0) ^ 1]), 0, 1, 50_000), 1],
  ['that lost its end', (handle) => handle.truncate(disk.length - 1), 1],
  ['in whose hole something was written', (handle) => handle.write(Buffer.from('x'), 0, 1, 1_000_000), 1],
  ['whose record is half', (_, path) => writeFile(`${path}.content`, '{"bytes"'), 0],
  ['of which nobody can tell', (_, path) => rm(`${path}.content`), 0],
])('a kept disk %s is made again', async (_, harm, warnings) => {
  const path = await ask();
  const handle = await open(path, 'r+');
  await harm(handle, path);
  await handle.close();
  events = [];
  expect((await readFile(await ask())).equals(disk)).toBe(true);
  expect(events.filter(({ type }) => type === 'warning')).toHaveLength(warnings);
  expect(unpackings()).toBe(1);
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
