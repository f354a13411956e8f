import { expect, test } from 'vitest';
import { diskArgvs } from './answers-disk.ts';

test('a disk has its label, folders before files, and a number that is the same for the same names', () => {
  const files = new Map([
    ['user-data', 'x'.repeat(1024 * 1024)],
    ['extra/b', 'b'],
    ['extra/deep/a', 'a'],
  ]);
  const [format, ...rest] = diskArgvs({ label: 'CIDATA', files, epoch: 0, output: '/o.img', folder: '/w' });
  expect(format?.slice(0, 12)).toEqual('mformat -C -i /o.img -T 8193 -h 64 -s 32 -v CIDATA'.split(' '));
  expect(format?.[13]).toMatch(/^[0-9a-f]{8}$/);
  expect(rest.map((argv) => argv.join(' '))).toEqual([
    'mmd -i /o.img ::/extra',
    'mmd -i /o.img ::/extra/deep',
    'mcopy -m -i /o.img /w/extra/b ::/extra/b',
    'mcopy -m -i /o.img /w/extra/deep/a ::/extra/deep/a',
    'mcopy -m -i /o.img /w/user-data ::/user-data',
  ]);
});
