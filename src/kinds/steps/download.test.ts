import { expect, test } from 'vitest';
import type { StepContext, Work } from '../../core/kinds.ts';
import type { Script } from '../../core/script.ts';
import { archiveFrom, download, unpackScript } from './download.ts';

const url = 'https://a.example/dl/tool-1.2.tar.gz?x=1';
const sha256 = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';

function tarHead(): Buffer {
  const head = Buffer.alloc(512);
  head.write('ustar', 257);
  return head;
}

test.each([
  [Buffer.from('1f8b0800', 'hex'), 'gzip'],
  [Buffer.from('BZh9'), 'bzip2'],
  [Buffer.from('fd377a585a0000', 'hex'), 'xz'],
  [Buffer.from('28b52ffd00', 'hex'), 'zstd'],
  [Buffer.from('504b03041400', 'hex'), 'zip'],
  [tarHead(), 'tar'],
  [Buffer.from('#!/bin/sh\n'), undefined],
  [Buffer.alloc(0), undefined],
])('the bytes %o are %s', (head, archive) => {
  expect(archiveFrom(head)).toBe(archive);
});

const plain = { to: '/opt/it', owner: 'root:root', strip: 1 };

test.each([
  ['tar', ''],
  ['gzip', ' --use-compress-program=gzip'],
  ['zstd', ' --use-compress-program=zstd'],
] as const)('a %s is unpacked in place, without owners and setuid', (archive, filter) => {
  const { text, args } = unpackScript(plain, archive);
  expect(args).toEqual(['/opt/it', 'root:root']);
  expect(text.trimEnd().split('\n').at(-1)).toBe(
    `tar --extract --no-overwrite-dir --keep-directory-symlink --touch --no-same-owner --no-same-permissions${filter} --strip-components=1 --directory="$to"`,
  );
});

test('what gets an owner is unpacked aside first, and so is a zip', () => {
  expect(unpackScript({ ...plain, owner: 'app:app' }, 'tar').text).toContain('chown -hR -- "$owner" "$work/all"');
  expect(unpackScript(plain, 'zip').text).toContain('unzip -q -d "$work/all" "$work/zip"');
});

test('a program that the image lacks is named with its package', () => {
  expect(unpackScript(plain, 'xz').text).toContain('the image lacks xz: install xz-utils first');
});

async function ran(written: Readonly<Record<string, unknown>>, bytes: Buffer): Promise<Script> {
  const done: Script[] = [];
  const work = { exec: async (script: Script) => done.push(script) };
  const read = async (_path: string, { offset = 0, length = 0 }) => bytes.subarray(offset, offset + length);
  const ctx = { host: { files: { read } }, fetch: async (from: string, digest: string) => `/store/${digest}#${from}` };
  const options = download.options.parse({ url, sha256, to: '/opt/it', ...written });
  await download.run(options, work as unknown as Work, ctx as unknown as StepContext);
  return done[0] as Script;
}

test('a file is put in its place, an archive is unpacked by what it is', async () => {
  expect((await ran({ mode: '0755' }, tarHead())).args).toEqual(['/opt/it', 'root:root', '0755']);
  expect(await ran({ unpack: true, strip: 1 }, tarHead())).toEqual(unpackScript(plain, 'tar'));
  await expect(ran({ unpack: true }, Buffer.from('<html>'))).rejects.toThrow('tool-1.2.tar.gz is no archive');
});

test.each([
  [{ url: 'ftp://a.example/x' }],
  [{ url: 'file:///etc/passwd' }],
  [{ url: 'https://user:word@a.example/x' }],
  [{ url: 'https://a.example/x y' }],
  [{ url: 'a.example/x' }],
  [{ sha256: 'abc' }],
  [{ sha256: sha256.toUpperCase() }],
  [{ sha256: undefined }],
  [{ to: 'opt' }],
  [{ to: '/' }],
  [{ strip: 1 }],
  [{ unpack: true, strip: -1 }],
  [{ unpack: true, mode: '0755' }],
  [{ unpack: 'yes' }],
])('%j is refused', (written) => {
  expect(download.options.safeParse({ url, sha256, to: '/opt/it', ...written }).success).toBe(false);
});

test('the title names the file, not what stands in the query', () => {
  expect(download.title(download.options.parse({ url, sha256, to: '/x' }))).toBe('download tool-1.2.tar.gz to /x');
});
