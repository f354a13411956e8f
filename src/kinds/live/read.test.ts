import { expect, test } from 'vitest';
import { follow, type Node, parseNode } from './read.ts';

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
