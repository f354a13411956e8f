import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeGitHub, startFakeGitHub } from '../../test/support/fake-github.ts';
import { type FakeOptions, goodToken, repository } from '../../test/support/fake-github-data.ts';
import { IngotError } from '../core/errors.ts';
import { type GitHub, openGitHub } from './github.ts';
import type { Release, Upload } from './github-types.ts';

let folder = '';
let fake: FakeGitHub;
let hub: GitHub;
let slept: number[];
let troubles: string[];
const controller = new AbortController();

async function start(options: Partial<FakeOptions> = {}, token: string | undefined = goodToken): Promise<void> {
  fake = await startFakeGitHub(options);
  slept = [];
  troubles = [];
  const host = {
    now: () => Date.parse('2026-11-21T12:00:00Z'),
    monotonic: () => 0,
    sleep: async (milliseconds: number) => void slept.push(milliseconds),
  };
  const context = { host, signal: controller.signal, onTrouble: (why: string) => void troubles.push(why) };
  const pace = { gapMs: 0, backoffMs: 1000, retries: 2, stallMs: 60_000 };
  hub = await openGitHub({ api: fake.origins.api, ...repository, token }, context, pace);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-github-'));
});
afterEach(async () => {
  await hub.close();
  await fake.close();
  await rm(folder, { recursive: true });
});

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');

async function fileOf(data: Buffer, name = 'a.img'): Promise<Upload> {
  const file = join(folder, name);
  await writeFile(file, data);
  return { name, bytes: data.length, sha256: sha256(data), from: { file, offset: 0 } };
}

const told = (run: Promise<unknown>) =>
  run.then(
    () => 'done',
    (error: unknown) => (error instanceof IngotError ? `${error.code} ${error.message}` : String(error)),
  );

const send = (release: Release, upload: Upload, onBytes: (sent: number) => void = () => {}) =>
  hub.upload(release, upload, onBytes);

test('a file is uploaded from the disk as it is, and told of as it goes', async () => {
  await start();
  const release = await hub.create('v1', { name: 'one' });
  const data = randomBytes(1_000_000);
  const whole = await fileOf(data);
  const seen: number[] = [];
  const asset = await send(release, whole, (sent) => void seen.push(sent));
  expect(asset).toMatchObject({ name: 'a.img', bytes: data.length, sha256: sha256(data), isWhole: true });
  expect(seen.at(-1)).toBe(data.length);
  expect(seen.length).toBeGreaterThan(3);
  const part = data.subarray(300_000, 500_000);
  const piece = { ...whole, name: 'a.img.part01', bytes: part.length, sha256: sha256(part) };
  await send(release, { ...piece, from: { file: join(folder, 'a.img'), offset: 300_000 } });
  await send(release, { name: 'empty', bytes: 0, sha256: sha256(''), from: { text: '' } });
  expect(fake.releases[0]?.assets.map((one) => sha256(one.data))).toEqual([data, part, ''].map(sha256));
  expect(slept).toEqual([]);
});

test.each([
  ['an answer of 502', { status: 502 }],
  ['a connection that is cut in the middle', { cutAfter: 300_000 }],
  ['an answer that gets lost', { loseAnswer: true as const }],
])('an upload survives %s, and leaves one whole asset', async (_, fault) => {
  await start();
  const release = await hub.create('v1', {});
  const upload = await fileOf(randomBytes(1_000_000));
  fake.fail({ on: 'POST *name=a.img*', ...fault });
  expect((await send(release, upload)).sha256).toBe(upload.sha256);
  expect(fake.releases[0]?.assets.map(({ name, state }) => [name, state])).toEqual([['a.img', 'uploaded']]);
  expect(slept).toEqual([1000]);
  const sent = fake.asked.filter((line) => line.startsWith('POST') && line.endsWith('/assets')).length;
  expect(sent).toBe('loseAnswer' in fault ? 1 : 2);
});

test('what an earlier run left under the name is removed, and kept where it is right', async () => {
  await start();
  const release = await hub.create('v1', {});
  const upload = await fileOf(randomBytes(1000));
  const held = { id: 7, name: 'a.img', state: 'starter' as const, data: Buffer.alloc(0), digestIn: 0 };
  fake.releases[0]?.assets.push(held);
  await send(release, upload);
  expect(fake.asked).toContain('DELETE /repos/me/images/releases/assets/7');
  const again = await send(release, upload);
  expect(fake.releases[0]?.assets.map(({ id }) => id)).toEqual([again.id]);
});

test('an upload is given up after some tries, with what to do', async () => {
  await start();
  const release = await hub.create('v1', {});
  fake.fail(...Array.from({ length: 3 }, () => ({ on: 'POST *name=a.img*', status: 502 })));
  expect(await told(send(release, await fileOf(randomBytes(10))))).toBe(
    'TOOL_FAILED uploading a.img: GitHub answered 502',
  );
  expect(slept).toEqual([1000, 2000]);
});

test('a file that changes under the upload is never left as an asset', async () => {
  await start();
  const release = await hub.create('v1', {});
  const upload = await fileOf(randomBytes(1000));
  await writeFile(join(folder, 'a.img'), randomBytes(1000));
  expect(await told(send(release, upload))).toMatch(/^INPUT_REFUSED .*a.img changed while it was uploaded$/);
  await truncate(join(folder, 'a.img'), 10);
  expect(await told(send(release, upload))).toMatch(/^INPUT_REFUSED .*a.img changed while it was uploaded$/);
  expect(fake.releases[0]?.assets.filter(({ state }) => state === 'uploaded')).toEqual([]);
});

test.each([
  ['Retry-After', { status: 403, headers: { 'retry-after': '30' } }, 30_000],
  ['Retry-After of a 429', { status: 429, headers: { 'retry-after': '7' } }, 7000],
  [
    'the time at which the limit is lifted',
    {
      status: 403,
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Date.parse('2026-11-21T12:10:00Z') / 1000) },
    },
    601_000,
  ],
  ['a minute where no time is named', { status: 403, message: 'You have exceeded a secondary rate limit' }, 60_000],
])('it waits %s', async (_, fault, milliseconds) => {
  await start();
  fake.fail({ on: 'GET /repos/me/images/releases?*', ...fault }, { on: 'POST *name=a.img*', ...fault });
  await hub.releases();
  const release = await hub.create('v1', {});
  await send(release, await fileOf(randomBytes(10)));
  expect(slept).toEqual([milliseconds, milliseconds]);
  expect(troubles[0]).toContain('the limit on requests to GitHub is reached');
});

test('a release whose making got no answer is not made twice', async () => {
  await start();
  fake.fail({ on: 'POST /repos/me/images/releases', loseAnswer: true });
  const { id } = await hub.create('v1', {});
  expect(fake.releases.map((one) => one.id)).toEqual([id]);
});

test('lists are read to their ends', async () => {
  await start();
  const release = await hub.create('many', {});
  const held = fake.releases[0]?.assets;
  for (let id = 1; id <= 230; id++)
    held?.push({ id, name: `n${id}`, state: 'uploaded', data: Buffer.alloc(1), digestIn: 0 });
  expect((await hub.assets(release)).length).toBe(230);
});

test.each([
  ['a wrong token', 'ghp_wrong', {}, /^AUTH the releases of me\/images: GitHub does not take the token \(HTTP 401\)$/],
  ['no token for a private repository', undefined, { isPrivate: true }, /^NOT_FOUND the releases of me\/images/],
])('%s is told', async (_, token, options, expected) => {
  await start(options, token);
  if (token === undefined) {
    await hub.close();
    const context = {
      host: { now: () => 0, monotonic: () => 0, sleep: async () => {} },
      signal: controller.signal,
      onTrouble: () => {},
    };
    hub = await openGitHub({ api: fake.origins.api, ...repository, token: undefined }, context);
  }
  expect(await told(hub.releases())).toMatch(expected);
  expect(slept).toEqual([]);
});

test('a token without the right to write is told', async () => {
  await start();
  fake.fail({ on: 'POST *', status: 403, message: 'Resource not accessible by integration' });
  expect(await told(hub.create('v1', {}))).toBe('AUTH making the release v1: GitHub forbids it (HTTP 403)');
});

test('a release that is there already is no draft of ours', async () => {
  await start();
  const release = await hub.create('v1', {});
  await hub.update(release, { isDraft: false });
  expect(await told(hub.create('v1', {}))).toMatch(/^BUSY making the release v1/);
});

test('a server that is not there is told after some tries', async () => {
  await start();
  await fake.close();
  expect(await told(hub.releases())).toBe('TOOL_FAILED the releases of me/images: the connection was refused');
  expect(slept).toEqual([1000, 2000]);
  fake = await startFakeGitHub();
});
