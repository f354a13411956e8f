import { expect, test } from 'vitest';
import { isForeign, isOurHost, pathOf, readTarget } from './address.ts';

test.each([
  ['/', [], true, ''],
  ['/images/', ['images'], true, ''],
  ['/isos/x%20y+z.iso?a=/../b', ['isos', 'x y+z.iso'], false, '?a=/../b'],
])('%s is the names %o', (target, names, isFolder, query) => {
  expect(readTarget(target)).toEqual({ names, isFolder, query });
});

test('a target may say the server itself', () => {
  expect(readTarget('http://a.example:80/x')).toMatchObject({ names: ['x'], authority: 'a.example:80' });
});

test.each([
  '',
  '*',
  'x',
  '/..',
  '/./x',
  '/a//b',
  '//a',
  '/%2e%2e/x',
  '/a%2fb',
  '/a%5cb',
  '/a%00',
  '/%zz',
  '/a b',
  '/\u00e4',
])('%s is no path', (target) => {
  expect(readTarget(target)).toBeUndefined();
});

test('links lead where their names say', () => {
  expect(pathOf([], true)).toBe('/');
  expect(readTarget(pathOf(['a b', 'c?#%'], true))).toMatchObject({ names: ['a b', 'c?#%'], isFolder: true });
});

test.each([
  ['images.lab', true],
  ['IMAGES.lab.:8417', true],
  ['10.1.2.3:80', true],
  ['[fe80::1]:80', true],
  ['images.lab.evil.example', false],
  ['1.2.3.4.evil.example', false],
  ['user@images.lab', false],
  ['images.lab, images.lab', false],
  ['', false],
  [undefined, false],
])('the host %s is ours: %s', (host, isOurs) => {
  expect(isOurHost(host, new Set(['images.lab']))).toBe(isOurs);
});

test.each([
  [{}, false],
  [{ origin: 'http://a.example' }, false],
  [{ origin: 'https://a.example' }, false],
  [{ origin: 'http://b.example' }, true],
  [{ origin: 'null' }, true],
  [{ 'sec-fetch-site': 'same-site' }, true],
  [{ 'sec-fetch-site': 'same-origin' }, false],
])('what comes with %o is from elsewhere: %s', (headers, foreign) => {
  expect(isForeign({ host: 'a.example', ...headers })).toBe(foreign);
});
