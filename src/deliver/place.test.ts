import { expect, test } from 'vitest';
import { checkName, parsePlace } from './place.ts';
import { farEndArgv, sumsLine } from './script.ts';

test.each([
  ['/srv/web', { folder: '/srv/web' }],
  ['web', { folder: '/here/web' }],
  ['../a b', { folder: '/a b' }],
  ['ssh://pve/var/lib', { folder: '/var/lib', ssh: { host: 'pve' } }],
  ['ssh://root@pve.lab:2222/x', { folder: '/x', ssh: { host: 'pve.lab', user: 'root', port: 2222 } }],
  ['ssh://[fe80::1]:22/x', { folder: '/x', ssh: { host: 'fe80::1', port: 22 } }],
  ['ssh://h/~/images', { folder: './images', ssh: { host: 'h' } }],
  ['ssh://h/~', { folder: '.', ssh: { host: 'h' } }],
  ["ssh://h/a b/it's%0A", { folder: "/a b/it's\n", ssh: { host: 'h' } }],
  ['ssh://h/', { folder: '/', ssh: { host: 'h' } }],
])('%s leads somewhere', (to, place) => {
  expect(parsePlace(to, '/here')).toEqual(place);
});

test.each([
  ...['', 'http://h/x', 'sftp://h/x', 'ssh://', 'ssh:///x', 'ssh://h', 'ssh://-oProxyCommand=x/x', 'ssh://-l@h/x'],
  ...['ssh://a:b@h/x', 'ssh://h:0/x', 'ssh://h:65536/x', 'ssh://h/%zz', 'ssh://h/%00', 'ssh://h;id/x', 'ssh://$(id)/x'],
  ...['ssh://`id`@h/x', 'ssh://h h/x', 'a\0b'],
])('%j is refused', (to) => {
  expect(() => parsePlace(to, '/here')).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
});

test('a name has no slash and is not too long', () => {
  expect(checkName('a b.img')).toBe('a b.img');
  for (const name of ['', '.', '..', 'a/b', 'a\0', 'x'.repeat(181), 'ü'.repeat(91)]) {
    expect(() => checkName(name)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
  }
});

const parcel = { name: '-x', sha256: 'a'.repeat(64), bytes: 7 };

test("ssh is the person's own, asks nothing and trusts nobody new; what comes behind -- is a host and one line", () => {
  const argv = farEndArgv({ folder: '/x y', ssh: { host: 'h', user: 'u', port: 22 } }, parcel);
  expect(argv).toEqual(expect.arrayContaining(['BatchMode=yes', 'StrictHostKeyChecking=yes', 'ForwardAgent=no']));
  expect(argv).not.toContain('-F');
  expect(argv.slice(-7, -1)).toEqual(['-p', '22', '-l', 'u', '--', 'h']);
  expect(argv.at(-1)).toMatch(/^sh -c '[\s\S]* ingot-publish -x a{64} 7 '\/x y' 'a{64} {2}-x'$/);
});

test('here it is a shell with the same words', () => {
  const argv = farEndArgv({ folder: '/x y' }, parcel);
  expect([argv[0], argv[1], ...argv.slice(3)]).toEqual([
    'sh',
    '-c',
    'ingot-publish',
    '-x',
    parcel.sha256,
    '7',
    '/x y',
    `${parcel.sha256}  -x`,
  ]);
});

test('names in checksums are escaped as sha256sum does', () => {
  expect(sumsLine('a b', 'f')).toBe('f  a b');
  expect(sumsLine('a\nb\\', 'f')).toBe('\\f  a\\nb\\\\');
});
