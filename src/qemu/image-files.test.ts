import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import type { Host } from '../core/host.ts';
import { createHost } from '../host/host.ts';
import { fstestArgv, openImage, parseDevices, parseListing } from './image-files.ts';

const execute = promisify(execFile);

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

test.each([
  ['(proc) (loop0) (loop0,msdos5) (loop0,msdos1) (host) ', ['(loop0,msdos1)', '(loop0,msdos5)', '(loop0)']],
  ['(proc) (loop0) (loop0,gpt10) (loop0,gpt2) (host) ', ['(loop0,gpt2)', '(loop0,gpt10)', '(loop0)']],
  ['(lvm/vg-root) (proc) (loop0) (loop0,gpt1) (host) ', ['(lvm/vg-root)', '(loop0,gpt1)', '(loop0)']],
  ['(proc) (loop0) (host) ', ['(loop0)']],
])('of %j a file system may be in %j', (text, devices) => {
  expect(parseDevices(text)).toEqual(devices);
});

/** A disk whose third partition holds these files. */
function disk(texts: Readonly<Record<string, string>>): Context {
  const run = async ({ argv }: { argv: readonly string[] }) => {
    const devices = '(proc) (loop0) (loop0,gpt3) (loop0,gpt1) (host) ';
    const text = argv.at(-1) === 'ls' ? devices : texts[argv.at(-1) ?? ''];
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

test.each(['gpt', 'dos', undefined])(
  'the root file system of a real disk is found (table of partitions: %s)',
  async (table) => {
    const folder = await mkdtemp(join(tmpdir(), 'ingot-image-'));
    try {
      const raw = join(folder, 'disk.raw');
      await mkdir(join(folder, 'tree/etc'), { recursive: true });
      await writeFile(join(folder, 'tree/etc/os-release'), 'ID=debian\n');
      await writeFile(raw, '');
      await truncate(raw, 16 * 1024 * 1024);
      const partition = `printf 'label: ${table}\\nstart=2048, size=4096\\nstart=8192, size=16384\\n' | sfdisk -q "$0"`;
      if (table !== undefined) await sh(partition, raw);
      const offset = table === undefined ? 0 : 8192 * 512;
      await sh(
        'mke2fs -q -F -t ext4 -b 1024 -E "offset=$1" -d "$2" "$0" 8192',
        raw,
        String(offset),
        join(folder, 'tree'),
      );
      const image = await openImage(raw, { ...disk({}), host: createHost() });
      expect(await image.readText('/etc/os-release')).toBe('ID=debian\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

async function sh(text: string, ...words: readonly string[]): Promise<void> {
  await execute('sh', ['-c', text, ...words], {
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  });
}
