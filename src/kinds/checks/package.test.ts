import { expect, test } from 'vitest';
import { judge, packageCheck, parseQuery } from './package.ts';

const name = 'python3';

test.each([
  [{ name, absent: false }, '3.13.5-1', undefined],
  [{ name, absent: false, version: '3.13' }, '3.13.5-1', undefined],
  [{ name, absent: false, version: '3.1' }, '3.13.5-1', 'has version 3.13.5-1 instead of 3.1'],
  [{ name, absent: false }, undefined, 'is not installed'],
  [{ name, absent: true }, undefined, undefined],
  [{ name, absent: true }, '3.13.5-1', 'is installed (3.13.5-1)'],
])('%o with %s', (wanted, version, wrong) => {
  expect(judge(wanted, version)).toBe(wrong);
});

test('a package that was removed but not purged is not installed', () => {
  expect(parseQuery('config-files 1.0\n')).toBeUndefined();
  expect(parseQuery('installed 1:2.0-1+b1\n')).toBe('1:2.0-1+b1');
  expect(parseQuery('')).toBeUndefined();
});

test('a bare name means installed', () => {
  expect(packageCheck.options.parse('vim')).toEqual({ name: 'vim', absent: false });
  expect(packageCheck.options.safeParse({ name: 'vim', absent: true, version: '1' }).success).toBe(false);
});
