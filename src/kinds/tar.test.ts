import { expect, test } from 'vitest';
import type { Files } from '../core/host.ts';
import { packTar } from './tar.ts';

type Node = { readonly mode?: number; readonly bytes?: string; readonly link?: string; readonly size?: number };

/** A project folder in memory: names that end in a slash are folders, `other` is no file at all. */
function folderOf(nodes: Readonly<Record<string, Node | 'other'>>): Files {
  const names = Object.keys(nodes);
  const within = (path: string) => path.replace(/^\/src\/?/, '');
  return {
    list: async (path: string) => {
      const prefix = within(path) === '' ? '' : `${within(path)}/`;
      return names
        .filter((name) => name !== prefix && name.startsWith(prefix) && /^[^/]+\/?$/.test(name.slice(prefix.length)))
        .map((name) => name.slice(prefix.length).replace(/\/$/, ''));
    },
    stat: async (path: string) => {
      const name = within(path);
      if (`${name}/` in nodes) return { kind: 'directory', size: 0, mode: 0o700, modifiedMs: 1 };
      const node = nodes[name];
      if (node === 'other') return { kind: 'other', size: 0, mode: 0o600, modifiedMs: 1 };
      const size = node?.size ?? node?.bytes?.length ?? 0;
      return {
        kind: node?.link === undefined ? 'file' : 'link',
        size,
        mode: node?.mode ?? 0o600,
        modifiedMs: Math.random() * 1e12,
      };
    },
    readLink: async (path: string) => (nodes[within(path)] as Node).link ?? '',
    read: async (path: string, { offset = 0, length = 0 } = {}) =>
      Buffer.from((nodes[within(path)] as Node).bytes ?? '').subarray(offset, offset + length),
  } as unknown as Files;
}

async function pack(
  nodes: Readonly<Record<string, Node | 'other'>>,
  owner = 'root:root',
  mode = '0644',
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packTar({ folder: '/src', owner, mode }, folderOf(nodes))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The headers of a stream, as `type mode owner size name -> link`. */
function entries(tar: Buffer): readonly string[] {
  const found: string[] = [];
  for (let at = 0; tar[at] !== 0; ) {
    const text = (from: number, length: number) =>
      tar.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8);
    const owner = `${text(265, 32)}:${text(297, 32)}(${Number.parseInt(text(108, 8), 8)})`;
    found.push(
      `${text(156, 1)} ${text(100, 8)} ${owner} ${size} ${text(0, 100)}${text(157, 100) ? ` -> ${text(157, 100)}` : ''}`,
    );
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

const some = {
  'b.sh': { mode: 0o755, bytes: '#!/bin/sh' },
  'a/': {},
  'a/é': { bytes: 'x'.repeat(600) },
  link: { link: '../elsewhere' },
  B: {},
};

test('names are sorted, folders and executables get x, links stay links', async () => {
  expect(entries(await pack(some))).toEqual([
    '0 0000644 root:root(0) 0 B',
    '5 0000755 root:root(0) 0 a/',
    '0 0000644 root:root(0) 600 a/é',
    '0 0000755 root:root(0) 9 b.sh',
    '2 0000777 root:root(0) 0 link -> ../elsewhere',
  ]);
});

test('the owner and the mode of the step are those of the entries', async () => {
  expect(entries(await pack({ 'x/': {}, y: { mode: 0o700 }, z: {} }, '1000:www-data', '0640'))).toEqual([
    '5 0000750 1000:www-data(1000) 0 x/',
    '0 0000750 1000:www-data(1000) 0 y',
    '0 0000640 1000:www-data(1000) 0 z',
  ]);
});

test('long names and links come before their entry', async () => {
  const long = 'n'.repeat(150);
  const tar = await pack({ [long]: { link: `../${long}` } });
  expect(entries(tar).map((entry) => entry.slice(0, 9))).toEqual(['K 0000644', 'L 0000644', '2 0000777']);
  expect(tar.toString('latin1', 512, 512 + 154)).toBe(`../${long}\0`);
});

test('times and other modes of the build machine do not show', async () => {
  const there = { a: { mode: 0o600, bytes: 'x' }, b: { mode: 0o700, bytes: 'y' } };
  const here = { b: { mode: 0o555, bytes: 'y' }, a: { mode: 0o444, bytes: 'x' } };
  expect((await pack(here)).equals(await pack(there))).toBe(true);
});

test('a file that changes while it is read, and what is no file, are errors with their name', async () => {
  await expect(pack({ a: { bytes: 'xyz', size: 5 } })).rejects.toThrow('/src/a changed while it was read');
  await expect(pack({ socket: 'other' })).rejects.toThrow('/src/socket is not a file, folder or link');
});
