import { expect, test } from 'vitest';
import { facts, formatLab, noise, sha256 } from '../../../test/support/format-lab.ts';
import { tar2sqfsArgv } from '../disk-files/squash.ts';
import { squashfs } from './squashfs.ts';
import { tar } from './tar.ts';

const lab = formatLab();
const offset = 1024 ** 2;
const long = `${'a'.repeat(60)}/${'ä'.repeat(50)}`;
/** cap_net_raw+ep, as `setcap` stores it. */
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
/** u::rw-,u:1000:rwx,g::r--,m::rwx,o::---, as the kernel gives it to programs. */
const aclBytes = Buffer.from(
  '0200000001000600ffffffff02000700e803000004000400ffffffff10000700ffffffff20000000ffffffff',
  'hex',
);

/** A disk whose root has one of everything that is hard to carry; made without root, as a user's build must be. */
async function disk(): Promise<string> {
  const { files } = lab.ctx.host;
  const tree = lab.path('tree');
  await lab.run('mkdir', '-p', `${tree}/etc`, `${tree}/usr/bin`, `${tree}/dev`, `${tree}/${long.split('/')[0]}`);
  await files.write(`${tree}/etc/os-release`, 'ID=lab\n');
  await files.write(`${tree}/usr/bin/ping`, noise('ping', 3_000_001));
  await files.write(`${tree}/usr/bin/acl`, 'acl');
  await files.write(`${tree}/${long}`, 'long');
  await lab.run('truncate', '-s', '5M', `${tree}/sparse`);
  await lab.run(
    'sh',
    '-c',
    'printf end >> "$0/sparse"; ln "$0/usr/bin/ping" "$0/usr/bin/pong"; ln -s usr/bin "$0/bin"',
    tree,
  );
  await lab.run('ln', '-s', `/${'x'.repeat(150)}`, `${tree}/far`);
  await lab.run('sh', '-c', 'find "$0" -print0 | xargs -0 touch -h -d "2020-02-02 02:02:02 UTC"', tree);
  await files.write(lab.path('cap'), capability);
  await files.write(lab.path('acl'), aclBytes);
  const path = lab.path('disk.raw');
  await lab.run('truncate', '-s', '64M', path);
  await lab.run('sh', '-c', 'printf "label: gpt\\nstart=2048\\n" | sfdisk -q "$0"', path);
  const words = ['-q', '-F', '-t', 'ext4', '-b', '4096', '-I', '256', '-E', `offset=${offset},root_owner=0:0`];
  await lab.run('mke2fs', ...words, '-d', tree, path, String((60 * 1024 ** 2) / 4096));
  const commands = [
    ...['cd /dev', 'mknod console c 5 1', 'mknod large b 300 700', 'mknod pipe p', 'cd /'],
    ...['sif usr/bin/ping uid 0', 'sif usr/bin/ping gid 0', 'sif usr/bin/ping mode 0104755'],
    ...['sif usr/bin/acl uid 1234', 'sif usr/bin/acl gid 3000000', 'sif usr/bin/acl mode 0100640'],
    `ea_set -f ${lab.path('cap')} usr/bin/ping security.capability`,
    'ea_set usr/bin/ping user.note hello',
    `ea_set -f ${lab.path('acl')} usr/bin/acl system.posix_acl_access`,
  ];
  await files.write(lab.path('commands'), `${commands.join('\n')}\n`);
  await lab.run('debugfs', '-w', '-f', lab.path('commands'), `${path}?offset=${offset}`);
  return path;
}

/** All that Python finds in a tar, a line each. */
const list = `
import sys, tarfile, hashlib
for m in tarfile.open(sys.argv[1]):
    more = {k: v for k, v in m.pax_headers.items() if k.startswith('SCHILY')}
    body = hashlib.sha256(tarfile.open(sys.argv[1]).extractfile(m).read()).hexdigest()[:8] if m.isreg() else ''
    device = (m.devmajor, m.devminor) if m.isdev() and not m.isfifo() else ''
    print(m.name, m.type.decode(), oct(m.mode), m.uid, m.gid, m.size, m.mtime, m.linkname, device, body, more)
`;

const listed = async (path: string) => (await lab.run('python3', '-c', list, path)).trimEnd().split('\n');

test('a tar has everything that was in the file system', async () => {
  const lines = await listed(await lab.write(tar, {}, await disk(), lab.path('lab.tar')));
  const line = (name: string) => lines.find((one) => one.startsWith(`${name} `)) ?? `no ${name}`;
  expect(lines.map((one) => one.split(' ')[0])).toEqual([
    ...[
      '.',
      `./${'a'.repeat(60)}`,
      `./${long}`,
      './bin',
      './dev',
      './dev/console',
      './dev/large',
      './dev/pipe',
      './etc',
    ],
    ...[
      './etc/os-release',
      './far',
      './sparse',
      './usr',
      './usr/bin',
      './usr/bin/acl',
      './usr/bin/ping',
      './usr/bin/pong',
    ],
  ]);
  expect(line('./usr/bin/ping')).toMatch(/^\S+ 0 0o4755 0 0 3000001 1580608922 {2}/);
  expect(line('./usr/bin/ping')).toContain("'SCHILY.xattr.user.note': 'hello'");
  expect(line('./usr/bin/ping')).toContain('SCHILY.xattr.security.capability');
  expect(line('./usr/bin/pong')).toMatch(/^\S+ 1 0o4755 0 0 0 1580608922 \.\/usr\/bin\/ping {3}\{\}$/);
  expect(line('./usr/bin/acl')).toMatch(/^\S+ 0 0o640 1234 3000000 3 /);
  expect(line('./usr/bin/acl')).toContain(
    "'SCHILY.acl.access': 'user::rw-,user:1000:rwx,group::r--,mask::rwx,other::---'",
  );
  expect(line('./dev/console')).toMatch(/^\S+ 3 .* \(5, 1\) /);
  expect(line('./dev/large')).toMatch(/^\S+ 4 .* \(300, 700\) /);
  expect(line('./dev/pipe')).toMatch(/^\S+ 6 /);
  expect(line('./bin')).toContain(' usr/bin ');
  expect(line('./far')).toContain(` /${'x'.repeat(150)} `);
  expect(line('./sparse')).toContain(` ${5 * 1024 ** 2 + 3} `);
});

test('GNU tar reads it whole and finds the same bytes', async () => {
  const path = await lab.write(tar, {}, await disk(), lab.path('lab.tar'));
  await lab.run('mkdir', lab.path('out'));
  await lab.run('tar', '--exclude=./dev/*', '--no-same-owner', '-xf', path, '-C', lab.path('out'));
  await lab.run('diff', '-r', '--no-dereference', lab.path('tree'), lab.path('out'));
  expect(await lab.run('tar', '--xattrs', '-tvvf', path)).toMatch(/-rwsr-xr-x\* 0\/0 +3000001 .*\n +x: 5 user\.note\n/);
});

test.each(['none', 'zstd', 'gzip', 'xz'])(
  'with compression %s it is the same twice and has the same in it',
  async (compression) => {
    const from = await disk();
    const plain = await lab.write(tar, {}, from, lab.path('plain.tar'));
    const one = await lab.write(tar, { compression }, from, lab.path('one'));
    const two = await lab.write(tar, { compression }, from, lab.path('two'));
    expect(await sha256(two)).toBe(await sha256(one));
    const program = compression === 'none' ? ['cat'] : [compression === 'gzip' ? 'gzip' : compression, '-dc'];
    await lab.run('sh', '-c', `${program.join(' ')} "$0" | cmp - "$1"`, one, plain);
  },
);

test.each(['zstd', 'xz', 'gzip'])('a squashfs (%s) has the same in it, and is the same twice', async (compression) => {
  const from = await disk();
  const one = await lab.write(squashfs, { compression }, from, lab.path('one.squashfs'));
  const two = await lab.write(squashfs, { compression }, from, lab.path('two.squashfs'));
  expect(await sha256(two)).toBe(await sha256(one));
  expect(await lab.run('unsquashfs', '-s', one)).toContain(`Compression ${compression}`);
  await lab.run('sh', '-c', 'sqfs2tar -s "$0" > "$1"', one, lab.path('back.tar'));
  const plain = await listed(await lab.write(tar, {}, from, lab.path('plain.tar')));
  // Lists of access control are not kept by squashfs, and its reader names the root and links to files in its own way.
  const known = (lines: readonly string[]) =>
    lines
      .map((line) =>
        line
          .replace(/^\.\//, '')
          .replace(/'SCHILY\.acl[^}]*/, '')
          .replace(/ \.\/usr/, ' usr'),
      )
      .map((line) => line.replace(/\{(.*)\}$/, (_, more: string) => more.split(', ').sort().join(', ')))
      .filter((line) => !line.startsWith('. '))
      .sort();
  expect(known(await listed(lab.path('back.tar')))).toEqual(known(plain));
});

test('times, mode and owner of the root come from the file system, not from the clock', async () => {
  expect(tar2sqfsArgv({ compression: 'xz' }, '/o', 77)).toEqual([
    ...['tar2sqfs', '--quiet', '--no-skip', '--compressor', 'xz', '--defaults', 'mtime=77', '/o'],
  ]);
  const written = await lab.write(squashfs, {}, await disk(), lab.path('lab.squashfs'));
  const first = (await lab.run('unsquashfs', '-lln', written))
    .split('\n')
    .find((line) => line.endsWith(' squashfs-root'));
  expect(first).toMatch(/^drwxr-xr-x 0\/0 +\d+ 20\d\d-/);
});

test.each([tar, squashfs])('a disk without a root that can be read is refused: $name', async (format) => {
  const written = lab.write(format, {}, await lab.disk(), lab.path('out'), facts);
  await expect(written).rejects.toMatchObject({ code: 'SPEC_INVALID', hint: expect.stringContaining('ext4') });
});
