import { expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import type { Files, Host } from '../core/host.ts';
import { finderOf, scanDisk, type Unwanted } from './scan.ts';

const chunk = 4 * 1024 * 1024;
const key = Buffer.from('0123456789abcdef0123456789ABCDEF');
const keys = [key.toString('base64')];
const none: Unwanted = { keys: [], secrets: [] };

type Disk = {
  readonly bytes: number;
  readonly holds: Readonly<Record<number, Uint8Array>>;
  readonly fill?: number;
  /** Where it is no hole: `[start, length]`; absent: everywhere. */
  readonly data?: readonly (readonly [number, number])[];
};

/** Reads of a disk that holds these bytes at these offsets; the rest is zeros, or `fill`. */
function readerOf({ bytes, holds, fill = 0, data = [[0, bytes]] }: Disk): {
  readonly ctx: Context;
  readonly reads: number[];
} {
  const disk = Buffer.alloc(bytes, fill);
  for (const [offset, what] of Object.entries(holds)) disk.set(what, Number(offset));
  const reads: number[] = [];
  const read: Files['read'] = async (_, { offset = 0, length = bytes } = {}) => {
    reads.push(offset);
    return disk.subarray(offset, offset + length);
  };
  const extents = data.map(([start, length]) => ({ start, length, depth: 0, zero: false, data: true }));
  const hole = { start: bytes, length: 512, depth: 0, zero: true, data: false };
  const run: Host['run'] = async (_, { onAnswer } = {}) => {
    for (const extent of [...extents, hole]) onAnswer?.(`${JSON.stringify(extent)},`);
    return { exitCode: 0, stdout: '', stderr: '' };
  };
  const host = { files: { read } as Files, run } as unknown as Host;
  return { ctx: { host, signal: new AbortController().signal, emit: () => undefined, step: '' }, reads };
}

/** What a scan says, or nothing. */
async function found(unwanted: Partial<Unwanted>, disk: Disk): Promise<string | undefined> {
  return scanDisk('/disk.raw', { ...none, ...unwanted }, readerOf(disk).ctx).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

const text = (words: string) => Buffer.from(words);

test('a disk without a trace passes', async () => {
  const disk = { bytes: chunk + 10, holds: { 100: text('something else') } };
  expect(await found({ keys, secrets: ['hunter2'] }, disk)).toBeUndefined();
});

test('holes are not read, but for what may reach into them', async () => {
  const border = 10 * chunk;
  const holds = { [border - 5]: key, [20 * chunk]: text('more') };
  const data: Disk['data'] = [
    [border, 4096],
    [20 * chunk, 4096],
  ];
  const disk = { bytes: 30 * chunk, holds, data };
  expect(await found({ keys }, disk)).toContain(`at byte ${border - 5}`);
  const { ctx, reads } = readerOf({ ...disk, holds: {} });
  await scanDisk('/disk.raw', { keys, secrets: [] }, ctx);
  expect(reads.length).toBe(2);
});

test('with nothing to look for the disk is not read', async () => {
  const { ctx, reads } = readerOf({ bytes: 10, holds: {} });
  await scanDisk('/disk.raw', none, ctx);
  expect(reads).toEqual([]);
});

test.each([
  ['at its beginning', 0],
  ['in its first chunk', 70_000],
  ['over the border of two pieces', 65_530],
  ['over the border of two chunks', chunk - 5],
  ['at the beginning of a chunk', chunk],
  ['as its last bytes', 2 * chunk + 3],
])('a key in free space is found %s, with its place', async (_, offset) => {
  const disk = { bytes: 2 * chunk + 3 + key.length, holds: { [offset]: key } };
  expect(await found({ keys }, disk)).toBe(`a key of the build is still on the sealed disk, at byte ${offset}`);
  expect(await found({ keys }, { ...disk, fill: 0xaa })).toContain(`at byte ${offset}`);
});

test.each([65_536, chunk])('a key of zeros at both ends is found at byte %d, beside holes', async (border) => {
  const odd = Buffer.concat([Buffer.alloc(15), text('xy'), Buffer.alloc(15)]);
  const one = { keys: [odd.toString('base64')] };
  for (const before of [1, 16, 31]) {
    const disk = { bytes: 2 * chunk, holds: { [border - before]: odd } };
    expect(await found(one, disk)).toContain(`at byte ${border - before}`);
  }
});

test.each([0, 1, 2, 19, 62])('a key is found in base64 with %d bytes before it', async (before) => {
  const blob = Buffer.concat([Buffer.alloc(before, 7), key, text('comment')]).toString('base64');
  expect(await found({ keys }, { bytes: 4096, holds: { 9: text(`ssh-ed25519 ${blob} me`) } })).toContain('a key');
});

test('whatever lies around it, one of many is found at any place', () => {
  const needles = [6, 7, 32, 44].map((length, n) =>
    Buffer.from(Array.from({ length }, (_, i) => 97 + ((i * (n + 3)) % 23))),
  );
  const find = finderOf(needles);
  for (const [which, needle] of needles.entries()) {
    for (let at = 0; at < 100; at += 1) {
      const bytes = Buffer.alloc(150, 0x20);
      bytes.set(needle, at);
      expect(find(bytes)).toEqual({ which, at });
    }
    expect(find(needle.subarray(1))).toBeUndefined();
  }
});

test('another key is none of ours', async () => {
  const other = Buffer.from(key).fill('x', 20);
  const holds = { 9: other, 500: text(other.toString('base64')) };
  expect(await found({ keys }, { bytes: 4096, holds })).toBeUndefined();
});

const secret = `p@ss w"o'rd/über`;
const shellWord = `'p@ss w"o'\\''rd/über'`;

test.each([
  ['as it is', secret],
  ['in a URL', `https://me:${encodeURIComponent(secret)}@host`],
  ['in JSON', JSON.stringify({ secret })],
  ['as a word of a shell', `+ login ${shellWord}`],
  ['in hex', Buffer.from(secret).toString('hex')],
  ['in capital hex', Buffer.from(secret).toString('hex').toUpperCase()],
  ['in base64', Buffer.from(secret).toString('base64')],
  ['in the base64 of name and password', Buffer.from(`me:${secret}`).toString('base64')],
  ['in base64 with two bytes before it', Buffer.from(`me${secret}\n`).toString('base64')],
])('a secret is found %s, and not told', async (_, words) => {
  const message = await found({ secrets: [secret] }, { bytes: chunk, holds: { 4000: text(words) } });
  expect(message).toMatch(/^a secret of the build is still on the sealed disk, at byte 4\d+$/);
});

const pem = `-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAabcdefghij\nkind: v1\n-----END PRIVATE KEY-----\n`;

test('a line of a key is found by itself; lines that others have too are nothing', async () => {
  const at = (words: string) => found({ secrets: [pem] }, { bytes: 4096, holds: { 7: text(words) } });
  expect(await at('x MC4CAQAwBQYDK2VwBCIEIAabcdefghij y')).toContain('a secret');
  expect(await at('-----BEGIN PRIVATE KEY-----\nother\nkind: v1\n-----END PRIVATE KEY-----\n')).toBeUndefined();
  expect(await at(pem)).toContain('a secret');
});

test('a secret too short to mean anything is not looked for', async () => {
  expect(await found({ secrets: ['yes', '12345'] }, { bytes: 4096, holds: { 7: text('yes 12345') } })).toBeUndefined();
});

test('a scan that is stopped ends', async () => {
  const { ctx } = readerOf({ bytes: 10, holds: {} });
  const stopped = { ...ctx, signal: AbortSignal.abort(new Error('stopped by hand')) };
  await expect(scanDisk('/d', { keys, secrets: [] }, stopped)).rejects.toThrow('stopped by hand');
});
