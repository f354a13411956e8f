import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { sums, sumsSigned, sumsSignedByOther, vendorKeys } from '../../test/support/signed-lists.ts';
import { IngotError } from '../core/errors.ts';
import { createHost } from '../host/host.ts';
import { sources } from '../kinds/sources/index.ts';
import { storePaths } from '../store/paths.ts';
import { readPin } from '../store/records.ts';
import { followPins } from './pins.ts';

let folder = '';
let root = '';
/** The address of a folder that vendors publish in. */
let vendor = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-pins-'));
  root = join(folder, 'project');
  vendor = pathToFileURL(join(folder, 'vendor')).href;
  await mkdir(join(root, 'images'), { recursive: true });
  await mkdir(join(folder, 'vendor'));
  await write('ingot.yaml', 'name: demo\n');
});
afterEach(() => rm(folder, { recursive: true }));

const write = (path: string, text: string) => writeFile(join(root, path), text);
const publish = (name: string, text: string) => writeFile(join(folder, 'vendor', name), text);
const digestOf = (text: string, algorithm = 'sha256') => createHash(algorithm).update(text).digest('hex');
const versions = () => readFile(join(root, 'versions.yaml'), 'utf8');
const paths = () => storePaths(join(folder, 'home'));

function follow(update: boolean, ...names: readonly string[]) {
  const kinds = { ...fakeKinds, sources };
  const workshop = { host: createHost(), kinds, root, paths: paths(), secret: (name: string) => name };
  return followPins(workshop, { names, update }, new AbortController().signal);
}

const pinned = (x86: string, arm: string) => `# keep this
pins:
  base:   # the vendor's newest
    sums: ${vendor}/SHA256SUMS
    x86_64: { url: ${vendor}/x86.img, sha256: "${x86}" }
    aarch64:
      url: ${vendor}/arm.img
      sha256: ${arm}
  tool: { version: v1.2, url: ${vendor}/tool, sha256: ${'0'.repeat(64)} }
  k3s: v1.34.1
`;

test('check tells what moved and touches nothing; update follows in place, and then nothing has moved', async () => {
  const [old, now, arm] = ['old', 'now', 'arm'].map((text) => digestOf(text)) as [string, string, string];
  await publish('SHA256SUMS', `${now}  x86.img\n${arm}  arm.img\n`);
  await write('versions.yaml', pinned(old, arm));
  await chmod(join(root, 'versions.yaml'), 0o600);
  const moved = [{ name: 'sha256', from: old, to: now }];
  const pins = [
    { name: 'base', what: 'pin', arch: 'x86_64', state: 'moved', changes: moved },
    { name: 'base', what: 'pin', arch: 'aarch64', state: 'current', changes: [] },
    { name: 'tool', what: 'pin', state: 'fixed', changes: [] },
    { name: 'k3s', what: 'pin', state: 'fixed', changes: [] },
  ];
  expect(await follow(false)).toEqual({ pins });
  expect(await versions()).toBe(pinned(old, arm));
  expect(await follow(true)).toEqual({ pins, written: join(root, 'versions.yaml') });
  expect(await versions()).toBe(pinned(now, arm));
  expect((await stat(join(root, 'versions.yaml'))).mode & 0o777).toBe(0o600);
  expect((await follow(true, 'base')).pins.map(({ state }) => state)).toEqual(['current', 'current']);
  expect(await readdir(root)).toEqual(['images', 'ingot.yaml', 'versions.yaml']);
});

test('an empty digest is filled in, also where images cannot be read without it', async () => {
  await publish('x.img.sha256', `${digestOf('x')}  x.img\n`);
  await write('versions.yaml', `pins:\n  x: { url: ${vendor}/x.img, sums: sidecar, sha256: "" }\n`);
  await write(
    'images/a.yaml',
    "source:\n  disk-image: { url: '${pins.x.url}', checksum: 'sha256:${pins.x.sha256}' }\n",
  );
  const { pins } = await follow(true);
  expect(pins).toEqual([
    { name: 'x', what: 'pin', state: 'new', changes: [{ name: 'sha256', to: digestOf('x') }] },
    { name: 'a', what: 'source', arch: 'x86_64', state: 'fixed', changes: [] },
  ]);
  expect(await versions()).toContain(`sha256: "${digestOf('x')}"`);
});

test('what was written is told though an image is broken', async () => {
  await publish('x.img.sha256', `${digestOf('x')}  x.img\n`);
  await write('versions.yaml', `pins:\n  x: { url: ${vendor}/x.img, sums: sidecar, sha256: "" }\n`);
  await write('images/a.yaml', 'source: [\n');
  expect(await follow(true)).toMatchObject({
    written: join(root, 'versions.yaml'),
    pins: [
      { name: 'x', state: 'new' },
      { name: 'images', state: 'failed', error: { code: 'SPEC_INVALID' } },
    ],
  });
  await expect(follow(true)).rejects.toMatchObject({ code: 'SPEC_INVALID' });
  expect((await follow(false, 'x')).pins).toHaveLength(1);
});

test('a signed list is believed only when a given key signed it', async () => {
  await mkdir(join(root, 'keys'));
  await write('keys/vendor.asc', vendorKeys);
  await publish('SUMS', sums);
  await publish('SUMS.asc', sumsSigned);
  const list = `sums: ${vendor}/SUMS, signature: ${vendor}/SUMS.asc, keyring: keys/vendor.asc`;
  await write('versions.yaml', `pins:\n  x: { url: ${vendor}/disk.img, ${list}, sha256: abc }\n`);
  expect((await follow(true)).pins[0]).toMatchObject({ state: 'moved', changes: [{ from: 'abc' }] });
  await publish('SUMS.asc', sumsSignedByOther);
  const before = await versions();
  expect((await follow(true)).pins[0]).toMatchObject({ state: 'failed', error: { code: 'INPUT_REFUSED' } });
  expect(await versions()).toBe(before);
});

test('one pin that cannot be looked up does not hold the others', async () => {
  await publish('SHA256SUMS', `${digestOf('now')}  x86.img\n${digestOf('arm')}  arm.img\n`);
  const gone = `  gone: { url: ${vendor}/g.img, sums: ${vendor}/NONE, sha256: abc }\n`;
  const other = `  other: { url: ${vendor}/x86.img, sums: ${vendor}/SHA256SUMS, sha512: abc }\n`;
  await write('versions.yaml', pinned('', '""') + gone + other);
  const { pins } = await follow(true);
  expect(pins.map(({ name, state }) => `${name} ${state}`)).toEqual([
    ...['base new', 'base new', 'tool fixed', 'k3s fixed', 'gone failed', 'other failed'],
  ]);
  expect(pins.at(-2)?.error?.code).toBe('NOT_FOUND');
  expect(pins.at(-1)?.error).toMatchObject({
    message: 'the pin other has sha512, and its list has sha256',
    hint: expect.stringContaining('sha256: ""'),
  });
  expect(await versions()).toContain(digestOf('now'));
});

test.each([
  ['an address is missing', 'x: { sums: sidecar, sha256: a }', 'x: expected url beside sums'],
  ['a digest is missing', 'x: { sums: sidecar, url: https://a.example/x }', 'x: expected sha256 or sha512 beside sums'],
  ['keys are missing', 'x: { sums: s, signature: t, url: u, sha256: a }', 'x: a signature needs keyring'],
  ['keys are elsewhere', 'x: { sums: s, keyring: ../k, url: u, sha256: a }', 'x: '],
  ['a value is a list', 'x: { sums: [s], url: u, sha256: a }', 'x.sums: expected one value'],
])('a versions.yaml where %s is told with its place', async (_, pin, message) => {
  await write('versions.yaml', `pins:\n  ${pin}\n`);
  await expect(follow(false)).rejects.toMatchObject({
    problems: expect.arrayContaining([
      expect.objectContaining({
        message: expect.stringContaining(message),
        place: expect.objectContaining({ line: 2 }),
      }),
    ]),
  });
});

test('digests behind anchors are left to the person, and nothing is half written', async () => {
  await publish('x.img.sha256', `${digestOf('x')}  x.img\n`);
  const text = `pins:\n  x: { url: ${vendor}/x.img, sums: sidecar, sha256: &one a }\n  y: *one\n`;
  await write('versions.yaml', text);
  await expect(follow(true)).rejects.toMatchObject({ code: 'SPEC_INVALID' });
  expect(await versions()).toBe(text);
});

test('a versions.yaml that is a link stays one', async () => {
  await publish('x.img.sha256', `${digestOf('x')}  x.img\n`);
  await write('real.yaml', `pins:\n  x: { url: ${vendor}/x.img, sums: sidecar, sha256: "" }\n`);
  await symlink('real.yaml', join(root, 'versions.yaml'));
  await follow(true);
  expect(await readFile(join(root, 'real.yaml'), 'utf8')).toContain(digestOf('x'));
});

test('what an image starts from is looked up, compared with what is kept, and followed', async () => {
  await publish('SUMS', `${digestOf('one')}  disk.img\n`);
  const source = `source: { disk-image: { url: '${vendor}/disk.img', checksum: { file: '${vendor}/SUMS' } } }\n`;
  await write('images/a.yaml', source);
  await write('images/b.yaml', `${source}arch: [x86_64, aarch64]\n`);
  const states = async (update: boolean, ...names: readonly string[]) =>
    (await follow(update, ...names)).pins.map(({ name, arch, state }) => `${name} ${arch} ${state}`);
  expect(await states(false)).toEqual(['a x86_64 new', 'b aarch64 new', 'b x86_64 new']);
  expect(await readdir(join(paths().pins)).catch(() => [])).toEqual([]);
  await states(true);
  expect(await states(false)).toEqual(['a x86_64 current', 'b aarch64 current', 'b x86_64 current']);
  await publish('SUMS', `${digestOf('two')}  disk.img\n`);
  const { pins } = await follow(true, 'a');
  expect(pins).toMatchObject([
    {
      state: 'moved',
      changes: [{ name: 'digest', from: `sha256:${digestOf('one')}`, to: `sha256:${digestOf('two')}` }],
    },
  ]);
  const kept = await Promise.all(
    (await readdir(paths().pins)).map((name) => readPin(paths(), name.replace('.json', ''))),
  );
  expect(kept).toContainEqual({ url: `${vendor}/disk.img`, digest: `sha256:${digestOf('two')}` });
});

test('a name that nothing has is refused with the nearest', async () => {
  await write('versions.yaml', pinned('a', 'b'));
  await expect(follow(false, 'bse')).rejects.toMatchObject({ code: 'USAGE', hint: expect.stringContaining('base') });
  await expect(follow(false, 'bse')).rejects.toBeInstanceOf(IngotError);
});

test('a project without pins and images has nothing to say', async () => {
  expect(await follow(true)).toEqual({ pins: [] });
});

test('what the lists of ISOs said is followed like what images start from', async () => {
  await publish('SHA256SUMS', `${digestOf('old')}  a.iso\n`);
  const a = `distribution: debian, arch: x86_64, url: '${vendor}/a.iso', checksum: { file: '${vendor}/SHA256SUMS' }`;
  const b = `distribution: debian, arch: x86_64, file: isos/b.iso`;
  await write('isos.yaml', `a: { ${a} }\nb: { ${b} }\n`);
  const states = async (update: boolean, ...names: readonly string[]) =>
    (await follow(update, ...names)).pins.map(({ name, what, state }) => [name, what, state]);
  expect(await states(false)).toEqual([
    ['a', 'iso', 'new'],
    ['b', 'iso', 'fixed'],
  ]);
  await follow(true);
  expect(await states(false, 'a')).toEqual([['a', 'iso', 'current']]);
  await publish('SHA256SUMS', `${digestOf('now')}  a.iso\n`);
  expect((await follow(true, 'a')).pins[0]).toMatchObject({
    state: 'moved',
    changes: [{ name: 'digest', from: `sha256:${digestOf('old')}`, to: `sha256:${digestOf('now')}` }],
  });
  expect(await states(false, 'a')).toEqual([['a', 'iso', 'current']]);
  await expect(follow(false, 'c')).rejects.toThrow('there is no pin, no ISO and no image "c"');
});
