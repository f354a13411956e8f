import { expect, test } from 'vitest';
import { explainDenied } from './permission.ts';

const failed = (code: string, more: object) => Object.assign(new Error(`${code}: no`), { code, ...more });

test.each([
  ['EACCES', 'mkdir', 'you may not make /srv/ingot/locks'],
  ['EPERM', 'unlink', 'you may not remove /srv/ingot/locks'],
  ['EACCES', 'open', 'you may not open /srv/ingot/locks'],
])('%s of %s says which path it is and who may', (code, syscall, message) => {
  expect(explainDenied(failed(code, { syscall, path: '/srv/ingot/locks' }))).toMatchObject({
    ...{ code: 'AUTH', message },
    hint: 'run it as whoever owns /srv/ingot; --home or INGOT_HOME names another home',
  });
});

test('a file system that nobody can write to is told as that', () => {
  expect(explainDenied(failed('EROFS', { syscall: 'mkdir', path: '/srv/ingot' }))).toMatchObject({
    ...{ code: 'AUTH', message: 'you may not make /srv/ingot: its file system is read-only' },
    hint: expect.stringContaining('mounted for writing'),
  });
});

test.each([
  ['of another kind', failed('ENOENT', { syscall: 'open', path: '/a' })],
  ['without a path', failed('EPERM', { syscall: 'kill' })],
  ['of a program that cannot be started', failed('EACCES', { syscall: 'spawn /a', path: '/a' })],
  ['that is none', 'text'],
])('an error %s stays as it is', (_, error) => {
  expect(explainDenied(error)).toBe(error);
});
