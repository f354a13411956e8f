import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeKinds } from '../../../test/support/fake-kinds.ts';
import type { Io } from '../../cli/engine.ts';
import type { AddIsoRequest, IsoDownloadRequest } from '../../cli/requests/isos.ts';
import type { IngotEvent } from '../../core/events.ts';
import { createHost } from '../../host/host.ts';
import { storePaths } from '../../store/paths.ts';
import { addIso } from './add-iso.ts';
import { downloadIsos, listIsos, verifyIsos } from './isos.ts';

let folder = '';
let root = '';
/** The address of a folder that vendors publish in. */
let vendor = '';
let events: IngotEvent[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-isos-'));
  root = join(folder, 'project');
  vendor = pathToFileURL(join(folder, 'vendor')).href;
  events = [];
  await mkdir(join(root, 'isos'), { recursive: true });
  await mkdir(join(folder, 'vendor'));
  await publish('a.iso', 'an ISO');
});
afterEach(() => rm(folder, { recursive: true }));

const write = (path: string, text: string) => writeFile(join(root, path), text);
const publish = (name: string, text: string) => writeFile(join(folder, 'vendor', name), text);
const hex = (text: string) => createHash('sha256').update(text).digest('hex');
const workshop = () => ({
  host: createHost(),
  kinds: fakeKinds,
  root,
  paths: storePaths(join(folder, 'home')),
  secret: (name: string) => name,
});
const io: Io = {
  signal: new AbortController().signal,
  emit: (event) => events.push(event),
  withTerminal: (run) => run(),
};
const catalogue = (checksum: string, url = `${vendor}/a.iso`) =>
  write('isos.yaml', `a: { distribution: debian, arch: x86_64, url: '${url}', checksum: ${checksum} }\n`);
const download = (request: Partial<IsoDownloadRequest> = {}) =>
  downloadIsos(workshop(), { names: [], arch: 'all', refresh: false, ...request }, io);
const verify = () => verifyIsos(workshop(), { names: [], arch: 'all' }, io);
const stored = (text: string) => join(storePaths(join(folder, 'home')).inputs, hex(text));

test('an ISO is fetched once, and then it is here and verified', async () => {
  await catalogue(`sha256:${hex('an ISO')}`);
  expect(await listIsos(workshop())).toMatchObject([{ name: 'a', arch: 'x86_64', proof: 'digest' }]);
  expect((await listIsos(workshop()))[0]?.here).toBeUndefined();
  expect(await download()).toEqual([{ name: 'a', arch: 'x86_64', outcome: 'done', paths: [stored('an ISO')] }]);
  expect(await download()).toMatchObject([{ outcome: 'cached' }]);
  expect((await listIsos(workshop()))[0]?.here).toEqual({ bytes: 6, verified: true, paths: [stored('an ISO')] });
  expect(events.map(({ type }) => type)).toContain('progress');
});

test('an ISO with another checksum is refused, and nothing of it is kept', async () => {
  await catalogue(`sha256:${hex('another')}`);
  expect(await download()).toMatchObject([{ outcome: 'failed', paths: [], error: { code: 'INPUT_REFUSED' } }]);
  await expect(stat(stored('another'))).rejects.toThrow('ENOENT');
  expect((await listIsos(workshop()))[0]?.here).toBeUndefined();
});

test('what a list says is kept, and asked again only on request', async () => {
  await publish('SHA256SUMS', `${hex('an ISO')}  a.iso\n`);
  await catalogue(`{ file: '${vendor}/SHA256SUMS' }`);
  expect(await download()).toMatchObject([{ outcome: 'done', paths: [stored('an ISO')] }]);
  await publish('SHA256SUMS', `${hex('a newer ISO')}  a.iso\n`);
  await publish('a.iso', 'a newer ISO');
  expect(await download()).toMatchObject([{ outcome: 'cached', paths: [stored('an ISO')] }]);
  expect(await download({ refresh: true })).toMatchObject([{ outcome: 'done', paths: [stored('a newer ISO')] }]);
});

test('a file that is here already is taken in the place of the address, once it is checked', async () => {
  await catalogue(`sha256:${hex('an ISO')}`, 'https://a.invalid/a.iso');
  const from = join(folder, 'here.iso');
  await writeFile(from, 'something else');
  expect(await download({ from })).toMatchObject([{ outcome: 'failed', error: { code: 'INPUT_REFUSED' } }]);
  await writeFile(from, 'an ISO');
  expect(await download({ from })).toMatchObject([{ outcome: 'done', paths: [stored('an ISO')] }]);
});

test('a file in the place of several ISOs is refused', async () => {
  const entry = `distribution: debian, arch: x86_64, file: isos/a.iso`;
  await write('isos.yaml', `a: { ${entry} }\nb: { ${entry} }\n`);
  await expect(download({ from: '/x' })).rejects.toThrow('--from is for one ISO');
});

test('an ISO of the project is adopted after its check, or used as it is where it has no checksum', async () => {
  const entry = 'distribution: debian, arch: x86_64, file: isos/a.iso';
  await write('isos.yaml', `free: { ${entry} }\nsure: { ${entry}, checksum: 'sha256:${hex('an ISO')}' }\n`);
  await write('isos/a.iso', 'an ISO');
  const before = await listIsos(workshop());
  expect(before.map(({ here, proof }) => [here?.verified, proof])).toEqual([
    [false, 'none'],
    [false, 'digest'],
  ]);
  expect((await download()).map(({ paths }) => paths)).toEqual([[join(root, 'isos/a.iso')], [stored('an ISO')]]);
  expect((await listIsos(workshop())).map(({ here }) => here?.verified)).toEqual([false, true]);
  expect((await verify()).map(({ state }) => state)).toEqual(['unproven', 'good']);
});

test('a stored ISO whose bytes changed is told, and the next download sets it aside', async () => {
  await catalogue(`sha256:${hex('an ISO')}`);
  expect(await verify()).toMatchObject([{ state: 'absent' }]);
  await download();
  expect(await verify()).toMatchObject([{ state: 'good', digest: `sha256:${hex('an ISO')}` }]);
  await chmod(stored('an ISO'), 0o600);
  await writeFile(stored('an ISO'), 'an iso');
  expect(await verify()).toMatchObject([{ state: 'bad', error: { code: 'INPUT_REFUSED' } }]);
  expect(await download()).toMatchObject([{ paths: [stored('an ISO')] }]);
  expect(await readFile(stored('an ISO'), 'utf8')).toBe('an ISO');
});

test('netboot files are two files of one ISO', async () => {
  await publish('linux', 'kernel');
  await publish('initrd.gz', 'initrd');
  const file = (name: string, text: string) => `{ url: '${vendor}/${name}', checksum: 'sha256:${hex(text)}' }`;
  const files = `kernel: ${file('linux', 'kernel')}, initrd: ${file('initrd.gz', 'initrd')}`;
  await write('isos.yaml', `n: { distribution: debian, arch: x86_64, ${files} }\n`);
  expect(await download()).toMatchObject([{ paths: [stored('kernel'), stored('initrd')] }]);
  expect((await verify()).map(({ part, state }) => [part, state])).toEqual([
    ['kernel', 'good'],
    ['initrd', 'good'],
  ]);
});

test('an unknown name is refused with the nearest one', async () => {
  await catalogue(`sha256:${hex('an ISO')}`);
  await expect(download({ names: ['b'] })).rejects.toThrow('isos.yaml has no ISO "b"');
});

const add = (request: AddIsoRequest) => addIso(workshop(), request, folder, io.signal);

test('an address is added below what is there', async () => {
  await write('isos.yaml', '# ours\nold: { distribution: debian, arch: x86_64, file: isos/old.iso } # kept\n');
  const from = 'https://a.example/Rocky-10-x86_64-minimal.iso';
  const added = await add({ name: 'rocky-10', from, checksum: hex('x') });
  expect(added).toMatchObject({ file: join(root, 'isos.yaml'), line: 4 });
  expect(await readFile(join(root, 'isos.yaml'), 'utf8')).toBe(`# ours
old: { distribution: debian, arch: x86_64, file: isos/old.iso } # kept

rocky-10:
  distribution: fedora
  arch: x86_64
  url: ${from}
  checksum: sha256:${hex('x')}
`);
});

test('a file is added with the checksum it has: of the project by its path, else by its address', async () => {
  await write('isos/debian-13-amd64.iso', 'inside');
  await writeFile(join(folder, 'alpine-aarch64.iso'), 'outside');
  const checksum = (text: string) => `sha256:${hex(text)}`;
  const inside = {
    distribution: 'debian',
    arch: 'x86_64',
    file: 'isos/debian-13-amd64.iso',
    checksum: checksum('inside'),
  };
  expect((await add({ name: 'a', from: 'project/isos/debian-13-amd64.iso' })).entry).toEqual(inside);
  const url = pathToFileURL(join(folder, 'alpine-aarch64.iso')).href;
  const outside = { distribution: 'alpine', arch: 'aarch64', url, checksum: checksum('outside') };
  expect((await add({ name: 'b', from: 'alpine-aarch64.iso' })).entry).toEqual(outside);
});

test('a signed list is added whole', async () => {
  const url = 'https://a.example/debian-13-amd64.iso';
  const list = 'https://a.example/SHA256SUMS';
  const request = { name: 'd', from: url, checksum: list, signature: `${list}.sign`, keyring: 'keys/cd.asc' };
  const { entry } = await add(request);
  expect(entry.checksum).toEqual({ file: list, signature: `${list}.sign`, keyring: 'keys/cd.asc' });
});

test.each<[string, AddIsoRequest, string]>([
  ['an address without a checksum', { name: 'a', from: 'https://a.example/debian-amd64.iso' }, 'needs a checksum'],
  ['a file that is not there', { name: 'a', from: 'no.iso' }, 'neither an address nor a file here'],
  ['a weak checksum', { name: 'a', from: 'https://a.example/x.iso', checksum: 'md5:1' }, 'md5:1 is not a checksum'],
  ['an unknown distribution', { name: 'a', from: 'vendor/a.iso' }, 'its name does not tell its distribution'],
  ['an unknown architecture', { name: 'debian', from: 'vendor/a.iso' }, 'its name does not tell its arch'],
  ['a bad name', { name: 'A B', from: 'vendor/a.iso' }, 'cannot be the name of an ISO'],
  ['a path that leads out', { name: 'debian-amd64', from: 'vendor/a.iso', kernel: '../x' }, 'kernel: '],
  [
    'keys without a list',
    { name: 'debian-amd64', from: 'vendor/a.iso', checksum: 'a'.repeat(64), keyring: 'k' },
    'are for a list of checksums',
  ],
])('%s is refused, and no file is written', async (_, request, words) => {
  await expect(add(request)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(words) as string,
  });
  await expect(stat(join(root, 'isos.yaml'))).rejects.toThrow('ENOENT');
});

test('a name that is taken is refused', async () => {
  await catalogue(`sha256:${hex('an ISO')}`);
  await expect(add({ name: 'a', from: 'vendor/a.iso' })).rejects.toThrow('isos.yaml has an ISO a already');
});
