import { expect, test } from 'vitest';
import { appendToInitrd, cpio } from './cpio.ts';

/** The members of an archive as the kernel reads them (init/initramfs.c): every part begins at a multiple of four. */
function membersOf(archive: Buffer): readonly (readonly [name: string, mode: string, data: string])[] {
  const members: [string, string, string][] = [];
  const even = (offset: number) => Math.ceil(offset / 4) * 4;
  for (let at = 0; at < archive.length; ) {
    const field = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const [mode, size, length] = [field(1), field(6), field(11)];
    const data = even(at + 110 + length);
    const name = archive.toString('utf8', at + 110, at + 110 + length - 1);
    members.push([name, mode.toString(8), archive.toString('utf8', data, data + size)]);
    at = even(data + size);
  }
  return members;
}

test('an archive has its files, with folders before them and the end after them', () => {
  const files = [
    { name: 'preseed.cfg', mode: 0o644, data: Buffer.from('d-i x\n') },
    { name: 'etc/ingot/müsli', mode: 0o755, data: Buffer.from('') },
  ];
  expect(membersOf(cpio(files))).toEqual([
    ['etc', '40755', ''],
    ['etc/ingot', '40755', ''],
    ['preseed.cfg', '100644', 'd-i x\n'],
    ['etc/ingot/müsli', '100755', ''],
    ['TRAILER!!!', '0', ''],
  ]);
});

test('equal files give equal bytes', () => {
  const files = new Map([['a/b', 'c']]);
  expect(appendToInitrd(Buffer.from('x'), files)).toEqual(appendToInitrd(Buffer.from('x'), files));
});

test.each([0, 1, 511, 512, 513])(
  'an initial RAM disk of %d bytes stays as it is, and the archive begins where the kernel looks',
  (size) => {
    const initrd = Buffer.alloc(size, 0x1f);
    const appended = appendToInitrd(initrd, new Map([['preseed.cfg', 'text']]));
    const start = Math.ceil(size / 512) * 512;
    expect(appended.subarray(0, size)).toEqual(initrd);
    expect(appended.subarray(size, start).every((byte) => byte === 0)).toBe(true);
    expect(membersOf(appended.subarray(start)).map(([name]) => name)).toEqual(['preseed.cfg', 'TRAILER!!!']);
  },
);
