import { describe, expect, test } from 'vitest';
import { answersSchema, canonical, type HashedAnswers } from './answers.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOIiHcbg';

test('a host name is enough: the rest has answers', () => {
  expect(answersSchema.parse({ hostname: 'dev' })).toEqual({
    hostname: 'dev',
    timezone: 'UTC',
    locale: 'en_US.UTF-8',
    keyboard: 'us',
    disk: { filesystem: 'ext4' },
    packages: [],
    network: 'dhcp',
    'kernel-args': [],
  });
});

test.each([
  ['whole', { filesystem: 'ext4' }],
  ['/dev/vda', { device: '/dev/vda', filesystem: 'ext4' }],
  [{ filesystem: 'xfs' }, { filesystem: 'xfs' }],
])('the disk %j is %j', (disk, is) => {
  expect(answersSchema.parse({ hostname: 'dev', disk }).disk).toEqual(is);
});

test('parsing parsed answers changes nothing: plans are read again', () => {
  const once = answersSchema.parse({ hostname: 'dev', disk: 'whole', user: { name: 'me' }, network: 'dhcp' });
  expect(answersSchema.parse(once)).toEqual(once);
});

describe('a value that could be more than its field is refused', () => {
  const breaks = ['\n', '\r', '\0', '\x0b', '\x1b', '\x7f', '\x85', '\u2028', '\u2029', '\ufeff', '\ud800'];
  test.each([
    ...['dev.example', 'Dev', 'dev;id', '$(id)', '-dev', ''].map((hostname) => ({ hostname })),
    ...['a b', '../../etc/passwd', '/UTC', 'UTC;'].map((timezone) => ({ timezone })),
    ...['en', 'en_US.UTF-8 x', '$(id)'].map((locale) => ({ locale })),
    ...['--help', 'us us', "us'"].map((keyboard) => ({ keyboard })),
    ...['vda', '/dev/../etc/x', '/dev/vda /dev/vdb', '/dev/$(id)'].map((disk) => ({ disk })),
    ...['-vim', '%end', 'vim emacs', '$(id)', '*'].map((name) => ({ packages: [name] })),
    ...['-x', 'a b', '"', 'a=$(id)', 'a=`id`', '---', "a='b'", '\\'].map((word) => ({ 'kernel-args': [word] })),
    ...['http://a/$(id)', 'http://a/ b', 'http://u:p@a/', 'ftp://a/', 'http://a/;b', "http://a/'", 'http://a/\\'].map(
      (mirror) => ({
        mirror,
      }),
    ),
    ...['root', 'Me', 'me;', '1me', 'me:x'].map((name) => ({ user: { name } })),
    ...[`${key}\nssh-rsa AAAA`, 'restrict ssh-ed25519 AAAA', 'ssh-ed25519', `${key}  `.replace('  ', '\t')].map(
      (text) => ({
        root: { 'ssh-keys': [text] },
      }),
    ),
    ...breaks.map((text) => ({ root: { 'ssh-keys': [`${key} a${text}b`] } })),
    ...['192.0.2.1', '192.0.2.1/33', 'x/8'].map((address) => ({ network: { address, gateway: '192.0.2.2' } })),
    { email: 'a@b\nc' },
    { country: 'AT' },
    { suite: 'a b' },
    { hostnam: 'x' },
  ])('%j', (given) => {
    expect(answersSchema.safeParse({ hostname: 'dev', ...given }).success).toBe(false);
  });
});

test('a key may have any comment that a person can see', () => {
  const keys = [`${key} O'Brien "ops" $(id) \`id\` \\ # % 漢字`, key];
  expect(answersSchema.parse({ hostname: 'dev', root: { 'ssh-keys': keys } }).root?.['ssh-keys']).toEqual(keys);
});

test('answers that mean the same have one form', () => {
  const plain = answersSchema.parse({ hostname: 'dev' }) as HashedAnswers;
  const given = { country: 'us', email: 'root@dev', root: {}, mirror: 'http://m.example/debian/' };
  const said = answersSchema.parse({ hostname: 'dev', ...given }) as HashedAnswers;
  expect(canonical(said)).toEqual({ ...plain, mirror: 'http://m.example/debian' });
});

test('who may use sudo needs the package', () => {
  const answers = answersSchema.parse({ hostname: 'dev', packages: ['vim'], user: { name: 'me', sudo: true } });
  expect(canonical(answers as HashedAnswers).packages).toEqual(['vim', 'sudo']);
});
