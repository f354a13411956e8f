import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listTree } from './list-tree.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-list-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const owner = () => {
  const { uid, gid } = lstatSync(folder);
  return `${uid}:${gid}`;
};

test('contents are one line an entry, sorted: type, mode, owner, size, digest or target, path', () => {
  mkdirSync(join(folder, 'etc'));
  chmodSync(join(folder, 'etc'), 0o1755);
  writeFileSync(join(folder, 'etc', 'shadow'), 'hello');
  chmodSync(join(folder, 'etc', 'shadow'), 0o640);
  writeFileSync(join(folder, 'etc.d'), '');
  chmodSync(join(folder, 'etc.d'), 0o4755);
  symlinkSync('../usr/my bin', join(folder, 'bin'));
  execFileSync('mkfifo', ['-m', '600', join(folder, 'queue')]);
  expect(listTree(folder).split('\n')).toEqual([
    `l\t777\t${owner()}\t-\t../usr/my bin\t/bin`,
    `d\t1755\t${owner()}\t-\t-\t/etc`,
    `f\t4755\t${owner()}\t0\t${sha256('')}\t/etc.d`,
    `f\t640\t${owner()}\t5\t${sha256('hello')}\t/etc/shadow`,
    `p\t600\t${owner()}\t-\t-\t/queue`,
    '',
  ]);
});

test('a tab or newline in a name is shown, not taken for the end of a cell', () => {
  writeFileSync(join(folder, 'a\tb\nc'), '');
  expect(listTree(folder)).toMatch(/\t\/a\\tb\\nc\n$/);
});

test('a file larger than what is read at once is read whole', () => {
  const data = Buffer.alloc(2 * 1024 * 1024 + 3, 'x');
  writeFileSync(join(folder, 'large'), data);
  expect(listTree(folder)).toContain(`\t${data.length}\t${sha256(data)}\t/large\n`);
});

test('as a program it prints the list of the folder it is given', () => {
  writeFileSync(join(folder, 'file'), 'x');
  const program = join(import.meta.dirname, 'list-tree.ts');
  expect(execFileSync(process.execPath, [program, folder], { encoding: 'utf8' })).toBe(listTree(folder));
});
