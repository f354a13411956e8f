import { expect, test } from 'vitest';
import { updateMd5sums } from './md5sums.ts';

const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(32)) as [string, string, string];

test('changed files get their sums, new ones are added, those with unknown bytes go, all else stays', () => {
  const text = `${a}  ./boot/grub/grub.cfg\n${a}  ./isolinux/isolinux.bin\n${a} *pool/x.deb\n`;
  const sums = new Map([
    ['boot/grub/grub.cfg', b],
    ['isolinux/isolinux.bin', undefined],
    ['preseed.cfg', c],
    ['ingot/answers.cpio', c],
    ['boot/efi.img', undefined],
  ]);
  expect(updateMd5sums(text, sums)).toBe(
    `${b}  ./boot/grub/grub.cfg\n${a} *pool/x.deb\n${c}  ./ingot/answers.cpio\n${c}  ./preseed.cfg\n`,
  );
});

test('a list without a line break at its end is one', () => {
  expect(updateMd5sums(`${a}  x`, new Map([['x', b]]))).toBe(`${b}  x\n`);
});
