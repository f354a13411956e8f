import { expect, test } from 'vitest';
import { isServedName, publishNames } from './served-names.ts';

test.each(['isos/x.iso', 'netboot/debian-13/linux', 'answers/lab/user-data', 'keys/a@b.pub', 'files/_x~1'])(
  '%s can be published',
  (as) => {
    expect(publishNames(as).join('/')).toBe(as);
  },
);

test.each([
  ['images/web/x86_64/web.qcow2', 'no place'],
  ['isos', 'no place'],
  ['index.json', 'no place'],
  ['/isos/x', 'no place'],
  ['isos/', 'no name'],
  ['isos/../x', 'no name'],
  ['isos/.builds/x', 'no name'],
  ['isos/a b', 'no name'],
  ['isos/x.sha256', 'Ingot itself'],
  ['isos/SHA256SUMS', 'Ingot itself'],
])('%s cannot: %s', (as, why) => {
  expect(() => publishNames(as)).toThrow(why);
});

test.each(['', '.', '..', '.x', 'a/b', 'a\\b', '-x', 'a%2f', 'a\u0000'])('"%s" is no name to serve', (name) => {
  expect(isServedName(name)).toBe(false);
});
