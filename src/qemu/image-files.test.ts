import { expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import type { Host } from '../core/host.ts';
import { fstestArgv, openImage, parseListing } from './image-files.ts';

test('a listing gives names with blanks, sizes and folders, without the folder itself', () => {
  const text = `DIR          20250615150640 ./
DIR          20261121045716 ../
1041         20250615150640 a file.log
DIR          20250615150640 apt/

`;
  expect(parseListing(text)).toEqual([
    { name: 'a file.log', kind: 'file', size: 1041, changed: Date.UTC(2025, 5, 15, 15, 6, 40) / 1000 },
    { name: 'apt', kind: 'directory', size: 0, changed: 1_750_000_000 },
  ]);
});

test('words of a command are no options of the reader', () => {
  expect(fstestArgv('/x.raw', 'ls', ['-l', '(loop0,gpt3)/'])).toEqual([
    'grub-fstest',
    '--',
    '/x.raw',
    'ls',
    '-l',
    '(loop0,gpt3)/',
  ]);
});

/** A disk whose third partition holds these files. */
function disk(texts: Readonly<Record<string, string>>): Context {
  const run = async ({ argv }: { argv: readonly string[] }) => {
    const text = texts[argv.at(-1) ?? ''];
    return { exitCode: text === undefined ? 1 : 0, stdout: text ?? '', stderr: '' };
  };
  const host = { run } as unknown as Host;
  return { host, signal: new AbortController().signal, emit: () => undefined, step: 's' };
}

test('the root partition is the one with an os-release', async () => {
  const image = await openImage('/x', disk({ '(loop0,gpt3)/etc/os-release': 'ID=debian', '(loop0,gpt3)/a': 'text' }));
  expect(await image.readText('/a')).toBe('text');
  expect(await image.readText('/b')).toBeUndefined();
});

test('a disk without a readable root file system is told as such', async () => {
  await expect(openImage('/x', disk({}))).rejects.toThrow('no partition of the disk holds a root file system');
});
