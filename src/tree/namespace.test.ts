import { expect, test } from 'vitest';
import {
  binfmt,
  environmentScript,
  holderCommand,
  idMap,
  insideCommand,
  rootMap,
  sandboxCommand,
  subordinateRange,
} from './namespace.ts';

test('a session is a user namespace that waits for its ids and then takes mounts, processes, IPC and names of its own', () => {
  const [program, ...words] = holderCommand('/home/me/my work/tree', 1024).argv;
  expect([program, ...words.slice(0, 3)]).toEqual(['unshare', '--user', 'sh', '-ec']);
  expect(words[3]).toBe(
    'echo mapping; read -r go; exec setpriv --pdeathsig KILL unshare --mount --pid --ipc --uts --fork --kill-child sh -ec "$0"',
  );
  expect(words[4]).toContain("mount -t tmpfs -o mode=0755,size=1024,nr_inodes=0 ingot '/home/me/my work/tree'\n");
  expect(words[4]).toContain(
    "mkdir -m 0755 '/home/me/my work/tree/tree' && mkdir -m 0755 '/home/me/my work/tree/scratch'",
  );
  expect(words[4]?.endsWith('exec cat >/dev/null')).toBe(true);
});

test('a command inside keeps its environment and is called by its own name in errors', () => {
  const command = insideCommand(42, { argv: ['tar', '-xf', 'a b'], env: { A: '1' }, cwd: '/x' });
  expect(command).toEqual({
    name: 'tar',
    argv: [
      ...['nsenter', '--target', '42', '--user', '--mount', '--pid', '--ipc', '--uts', '--'],
      ...['sh', '-c', 'umask 022; cd -- "$0" && exec "$@"', '/x', 'tar', '-xf', 'a b'],
    ],
    env: { A: '1' },
    cwd: '/x',
  });
  expect(insideCommand(42, { name: 'unpacking', argv: ['tar'] }).name).toBe('unpacking');
  expect(insideCommand(42, { argv: ['tar'] }).argv.slice(-4)).toEqual(['-c', 'umask 022; exec "$@"', 'sh', 'tar']);
});

const me = { name: 'me', uid: 1000 };

test.each<[string, string, ReturnType<typeof subordinateRange>]>([
  ['by name', 'you:1:65536\nme:100000:65536\n', { start: 100000, count: 65536 }],
  ['by number', '1000:231072:65536', { start: 231072, count: 65536 }],
  ['the first range that is wide enough', 'me:5:10\nme:200000:65535', { start: 200000, count: 65535 }],
  ['none of another user whose name begins the same', 'me2:1:65536\n10001:1:65536', undefined],
  ['none in an empty file', '', undefined],
  ['none where the count is missing', 'me:100000', undefined],
  ['none where the count is no number', 'me:100000:many', undefined],
])('the granted ids are found %s', (_, text, expected) => {
  expect(subordinateRange(text, me)).toEqual(expected);
});

test('our own id is root inside and the granted range is all others', () => {
  expect(idMap(1000, { start: 100000, count: 70000 })).toEqual(['0', '1000', '1', '1', '100000', '65535']);
});

test.each<[string, string, string]>([
  ['on a machine', '         0          0 4294967295\n', '0 0 65536'],
  ['in a container of an ordinary user', '  0  1001  1\n  1  100000  65535\n', '0 0 1\n1 1 65535'],
  ['in a container with ids that a tree has not', ' 0 1000 1\n 1 100000 65536\n 70000 5 1\n', '0 0 1\n1 1 65535'],
])('root gives the tree the ids that it has itself, %s', (_, own, expected) => {
  expect(rootMap(own)).toBe(expected);
});

test('a step sees the tree, its own processes and /tmp, and nothing of this machine but its network', () => {
  const argv = sandboxCommand({ root: '/w/tree', entry: '/w/e', resolv: 'link', argv: ['/bin/sh', '-c', 'a;b'] });
  const words = argv.join(' ');
  expect(words.startsWith('bwrap --bind /w/tree / --proc /proc --dev /dev --ro-bind /sys /sys ')).toBe(true);
  for (const word of [
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--die-with-parent',
    '--as-pid-1',
    '--clearenv',
  ])
    expect(argv).toContain(word);
  const bound = argv.flatMap((word, i) => (/^--(ro-)?bind$/.test(word) ? [argv[i + 1]] : []));
  expect(bound).toEqual(['/w/tree', '/sys', '/w/e']);
  expect(argv).not.toContain('--share-net');
  expect(argv.slice(argv.indexOf('--'))).toEqual(['--', '/bin/sh', '/run/ingot/enter', '/bin/sh', '-c', 'a;b']);
});

test('folders that are lent appear beside the script, read-only unless said otherwise', () => {
  const lent = [
    { folder: '/p', name: 'project' },
    { folder: '/w/r', name: 'record', writable: true },
  ];
  const words = sandboxCommand({ root: '/r', entry: '/e', lent, resolv: 'link', argv: ['true'] }).join(' ');
  expect(words).toContain('--ro-bind /e /run/ingot --ro-bind /p /run/ingot/project --bind /w/r /run/ingot/record ');
});

test.each<['link' | 'file' | 'missing', boolean]>([
  ['link', false],
  ['file', true],
  ['missing', false],
])('where the image has a resolv.conf as %s, ours is laid over it: %s', (resolv, expected) => {
  const argv = sandboxCommand({ root: '/r', entry: '/e', resolv, argv: ['true'] });
  expect(argv.join(' ').includes('--ro-bind /e/resolv.conf /etc/resolv.conf')).toBe(expected);
});

test('values of the environment are passed literally', () => {
  expect(environmentScript({ A: 'plain', B: `it's $HOME\n\`id\`` })).toBe(
    `export A=plain\nexport B='it'\\''s $HOME\n\`id\`'\n`,
  );
});

test('foreign programs are told by their ELF header, whole and with a mask', () => {
  const line = binfmt.aarch64.line('/usr/bin/qemu-aarch64-static');
  const [, name, type, offset, magic, mask, path, flags] = line.split(':');
  expect([name, type, offset, path, flags]).toEqual([
    ...['ingot-aarch64', 'M', '', '/usr/bin/qemu-aarch64-static', 'POCF'],
  ]);
  expect(magic).toMatch(/^(\\x[0-9a-f]{2}){20}$/);
  expect(mask).toMatch(/^(\\x[0-9a-f]{2}){20}$/);
  expect(magic?.endsWith('\\xb7\\x00')).toBe(true);
  expect(binfmt.x86_64.line('/q')).toContain('\\x3e\\x00:');
});
