import { expect, test } from 'vitest';
import { archName, archOrAll, imageRef, period, positive, projectName, size } from './values.ts';

test('architectures go by their kernel and Debian names', () => {
  expect([archName('x86_64'), archName('arm64'), archOrAll('all')]).toEqual(['x86_64', 'aarch64', 'all']);
  expect(() => archName('mips')).toThrow('Expected x86_64 or aarch64.');
});

test('times and sizes are read with their units', () => {
  expect([period('30d'), period('12h'), period('90m'), period('2w')]).toEqual([2_592_000, 43_200, 5400, 1_209_600]);
  expect([size('1K'), size('20G'), size('1.5T'), size('20GiB')]).toEqual([
    1024, 21_474_836_480, 1_649_267_441_664, 21_474_836_480,
  ]);
});

test.each(['30', 'd', '-1d', '1 d', '1y', ''])('the time %j is refused', (text) => {
  expect(() => period(text)).toThrow('30d');
});

test.each(['20', 'G', '-1G', '1GB ', '20GB', ''])('the size %j is refused', (text) => {
  expect(() => size(text)).toThrow('20G');
});

test.each(['0', '-1', '1.5', 'two', ''])('%j is no positive number', (text) => {
  expect(() => positive(text)).toThrow('whole number');
});

test('a build of an image is named after an at sign', () => {
  expect(imageRef('debian-13')).toEqual({ image: 'debian-13' });
  expect(imageRef('debian-13@0193')).toEqual({ image: 'debian-13', build: '0193' });
  expect(() => imageRef('debian-13@')).toThrow('IMAGE@BUILD');
  expect(() => imageRef('@x')).toThrow('IMAGE@BUILD');
});

test('a project is named by the last part of its path', () => {
  expect(projectName('../my/lab/')).toBe('../my/lab/');
  for (const bad of ['', '.', 'Lab', 'a b', '../', '-x', 'a\nb']) expect(() => projectName(bad)).toThrow('folder name');
});
