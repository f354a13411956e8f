import { expect, test } from 'vitest';
import { formatLab } from '../../../test/support/format-lab.ts';
import { traces } from '../checks/hygiene.ts';
import { follow, type Node, openLive, parseNode } from './read.ts';

test.each([
  ['drwxr-xr-x 0/0               0 2026-11-20 02:11:10 ./', '', 'directory', 0],
  ['-rw-r--r-- 0/0            1234 2026-11-20 02:11:10 etc/passwd', '/etc/passwd', 'file', 1234],
  ['drwxr-xr-x 0/42              0 2026-11-20 02:11:10 var/log/apt/', '/var/log/apt', 'directory', 0],
  ['crw-rw-rw- 0/0             5,1 2026-11-20 02:11:10 dev/console', '/dev/console', 'file', 0],
  ['hrw-r--r-- 0/0               0 2026-11-20 02:11:10 a b link to c', '/a b', 'file', 0],
])('a line of a listing: %s', (line, path, kind, size) => {
  expect(parseNode(line)).toMatchObject({ path, kind, size, changed: Date.UTC(2026, 10, 20, 2, 11, 10) / 1000 });
});

test('what is no line of an entry is none', () => {
  expect(parseNode('tar: something')).toBeUndefined();
});

test('links are followed as in the system itself, and a circle leads nowhere', () => {
  const links = { '/bin': 'usr/bin', '/usr/lib/os': '../../etc/os', '/var/run': '/run', '/a': 'b', '/b': 'a' };
  const nodes = new Map(
    Object.entries(links).map(([path, target]): [string, Node] => [
      path,
      { path, name: '', kind: 'link', size: 0, changed: 0, target },
    ]),
  );
  expect(follow(nodes, '/bin/sh')).toBe('/usr/bin/sh');
  expect(follow(nodes, '/usr/lib/os/release')).toBe('/etc/os/release');
  expect(follow(nodes, '/var/run/x')).toBe('/run/x');
  expect(follow(nodes, '/etc/')).toBe('/etc');
  expect(follow(nodes, '/a')).toBe('/a');
});

const lab = formatLab();

test('what is in the file system of a live ISO is read as from a disk', async () => {
  const { files } = lab.ctx.host;
  const [tree, squash, iso] = [lab.path('tree'), lab.path('root.squashfs'), lab.path('x.iso')];
  await lab.run('mkdir', '-p', `${tree}/etc/ssh`, `${tree}/usr/lib`, `${tree}/var/lib/dbus`);
  await files.write(`${tree}/etc/machine-id`, 'f00d\n');
  await files.write(`${tree}/etc/ssh/ssh_host_rsa_key`, 'a key');
  const script = `ln -s /etc/machine-id "$0/var/lib/dbus/"; ln -s usr/lib "$0/lib"; echo x > "$0/usr/lib/a b"
tar -C "$0" -c . | tar2sqfs -q "$1"
xorriso -as mkisofs -quiet -r -o "$2" -graft-points live/filesystem.squashfs="$1"`;
  await lab.run('sh', '-euc', script, tree, squash, iso);
  const image = await openLive(iso, lab.path(''), lab.ctx);
  expect(await image.readText('/var/lib/dbus/machine-id')).toBe('f00d\n');
  expect(await image.readText('/etc/none')).toBeUndefined();
  expect((await image.list('/lib')).map(({ name, kind, size }) => [name, kind, size])).toEqual([['a b', 'file', 2]]);
  expect((await image.list('/')).map(({ name }) => name).sort()).toEqual(['etc', 'lib', 'usr', 'var']);
  await image.copy('/lib/a b', lab.path('copy'));
  expect(await files.readText(lab.path('copy'))).toBe('x\n');
  expect(await traces(image)).toEqual([
    'ssh host key /etc/ssh/ssh_host_rsa_key',
    'machine id in /etc/machine-id: f00d',
    'machine id in /var/lib/dbus/machine-id: f00d',
  ]);
});
