import { createHash } from 'node:crypto';
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { IngotError } from '../core/errors.ts';
import type { Manifest } from '../core/manifest.ts';
import { createHost } from '../host/host.ts';
import { writeSidecars } from '../run/finish.ts';
import { openSigner } from '../run/signing.ts';
import type { Workshop } from '../run/workshop.ts';
import { publishBuild } from '../store/artifacts.ts';
import { storePaths } from '../store/paths.ts';
import { makeKey } from './keys.ts';
import { tellStory } from './show.ts';
import { type VerifyPlace, verify } from './verify.ts';

const { signal } = new AbortController();
let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-verify-'));
});
afterEach(() => rm(home, { recursive: true }));

function placeOf(env: Readonly<Record<string, string>> = {}): VerifyPlace & { readonly shop: Workshop } {
  const host = { ...createHost(), env };
  const paths = storePaths(home);
  const shop: Workshop = { host, kinds: fakeKinds, root: home, paths, secret: (name) => name };
  return { host, paths, cwd: home, shop, workshop: async () => shop };
}

/** A finished build of one file, as a build publishes it; gives the path of the file. */
async function publish(place: ReturnType<typeof placeOf>): Promise<string> {
  const staged = join(home, 'staged');
  await mkdir(staged);
  const sha256 = createHash('sha256').update('a disk').digest('hex');
  await writeFile(join(staged, 'x.qcow2'), 'a disk');
  await writeFile(join(staged, 'x.qcow2.sha256'), `${sha256}  x.qcow2\n`);
  const manifest: Manifest = {
    ...{ schemaVersion: 1, image: 'x', arch: 'x86_64', description: '', build: 'b1', key: 'abc', seconds: 3 },
    builtAt: '2026-11-21T12:00:00.000Z',
    source: { kind: 'packages', options: {}, pin: null },
    ...{ pins: {}, system: {}, packages: [], tools: {}, steps: [], checks: [] },
    artifacts: [{ file: 'x.qcow2', format: 'qcow2', bytes: 6, sha256 }],
  };
  await writeSidecars(place.shop, staged, manifest, { contents: '', signer: await openSigner(place.shop), signal });
  const { folder } = await publishBuild(place.paths, staged, manifest, signal);
  return join(folder, 'x.qcow2');
}

const ask = (target: string) => ({ target, arch: 'x86_64' as const, allowUnsigned: false });
const told = (run: Promise<unknown>) =>
  run.then(
    () => 'taken',
    (error: unknown) => (error instanceof IngotError ? `${error.code} ${error.message}` : String(error)),
  );

test('a key is made once: private to its owner, public for all; what it signed is taken by name and by file', async () => {
  const place = placeOf();
  const made = await makeKey(place.paths, place.host, signal);
  expect((await stat(made.privateFile)).mode & 0o777).toBe(0o600);
  expect((await readFile(made.publicFile, 'utf8')).split('\n')[1]).toBe(made.publicKey);
  expect(await told(makeKey(place.paths, place.host, signal))).toMatch(/^USAGE there is a key already/);
  const path = await publish(place);
  const file = { image: 'x', arch: 'x86_64', build: 'b1', key: 'abc', signedBy: made.id };
  expect(await verify(place, ask('x'), signal)).toEqual({ files: [{ path, ...file }] });
  expect(await verify(place, { ...ask(path), key: made.publicFile }, signal)).toEqual({ files: [{ path, ...file }] });
  expect((await tellStory(place.shop, { image: 'x', arch: 'x86_64' })).origin).toContain(`signed by key ${made.id}`);
});

test('the secret key and public key of the real minisign are not needed, but its public key is understood', async () => {
  const place = placeOf();
  await place.host.run({ argv: ['minisign', '-G', '-W', '-p', join(home, 'm.pub'), '-s', join(home, 'm.key')] });
  const path = await publish(place);
  expect(await told(verify(place, { ...ask(path), key: 'm.pub' }, signal))).toBe(
    'INPUT_REFUSED x.qcow2: the provenance is not signed, and there are keys to trust',
  );
  expect(await told(verify(place, { ...ask(path), key: 'nothing' }, signal))).toMatch(
    /^USAGE nothing is no public key/,
  );
  expect(await told(verify(place, ask(path), signal))).toBe('taken');
});

test('a changed file is refused, and so is a stranger; the reason is said', async () => {
  const place = placeOf();
  await makeKey(place.paths, place.host, signal);
  const path = await publish(place);
  await rm(join(home, 'keys'), { recursive: true });
  expect(await told(verify(place, ask('x'), signal))).toMatch(
    /INPUT_REFUSED .* signed by key \w{16}, which is not trusted/,
  );
  await appendFile(path, '!');
  expect(await told(verify(place, ask(path), signal))).toBe(
    'INPUT_REFUSED x.qcow2: the bytes of x.qcow2 are not those that x.qcow2.sha256 tells',
  );
  expect(await told(verify(place, ask('./nowhere'), signal))).toBe('NOT_FOUND there is no file ./nowhere');
});

test('a locked key signs with its passphrase only; one that others may read signs nothing', async () => {
  const locked = placeOf({ INGOT_SECRET_SIGNING_KEY: 'a word' });
  const made = await makeKey(locked.paths, locked.host, signal);
  expect((await openSigner(locked.shop))?.id).toBe(made.id);
  expect(await told(openSigner(placeOf().shop))).toMatch(/^AUTH .* passphrase that is not given$/);
  await chmod(made.privateFile, 0o644);
  expect(await told(openSigner(locked.shop))).toMatch(/^AUTH .* may be read by others/);
});

test('an address is fetched with what lies beside it', async () => {
  const place = placeOf();
  const made = await makeKey(place.paths, place.host, signal);
  const folder = join(await publish(place), '..');
  const server = createServer((request, response) => {
    void readFile(join(folder, basename(request.url ?? ''))).then(
      (data) => response.writeHead(200).end(data),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.qcow2`;
  try {
    expect((await verify(place, ask(url), signal)).files).toMatchObject([{ path: url, image: 'x', signedBy: made.id }]);
    await appendFile(join(folder, 'x.qcow2'), '!');
    expect(await told(verify(place, ask(url), signal))).toMatch(/^INPUT_REFUSED x.qcow2: the bytes/);
    expect(await told(verify(place, ask(url.replace('x.qcow2', '')), signal))).toMatch(/^USAGE .* not the address/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('formats that can be proved are, when an image is verified', async () => {
  const place = placeOf();
  await makeKey(place.paths, place.host, signal);
  await publish(place);
  const proved: string[] = [];
  const format = fakeKinds.formats.get('qcow2');
  if (format === undefined) throw new Error('no format');
  const prove: NonNullable<typeof format.prove> = async (_, { file }) => {
    proved.push(basename(file));
    throw new IngotError({ code: 'INPUT_REFUSED', message: 'it holds another disk' });
  };
  const formats = new Map([['qcow2', { ...format, prove, boots: () => undefined }]]);
  const shop = { ...place.shop, kinds: { ...fakeKinds, formats } };
  expect(await told(verify({ ...place, workshop: async () => shop }, ask('x'), signal))).toBe(
    'INPUT_REFUSED it holds another disk',
  );
  expect(proved).toEqual(['x.qcow2']);
});
