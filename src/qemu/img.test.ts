import { expect, test } from 'vitest';
import {
  commitArgv,
  compareArgv,
  convertArgv,
  createOverlayArgv,
  flattenArgv,
  infoArgv,
  mapArgv,
  parseInfo,
  resizeArgv,
} from './img.ts';

const base = { path: '/a/disk.img', format: 'raw' } as const;
const target = { path: '/b/disk.qcow2', format: 'qcow2' } as const;

test('formats are pinned in every command', () => {
  expect(createOverlayArgv('/s/o.qcow2', 5).slice(2)).toEqual([
    ...['-q', '-f', 'qcow2', '-o', 'cluster_size=4096', '/s/o.qcow2', '5'],
  ]);
  expect(infoArgv(target)).toEqual(['qemu-img', 'info', '--output=json', '-f', 'qcow2', '/b/disk.qcow2']);
  expect(mapArgv(base)).toEqual(['qemu-img', 'map', '--output=json', '-f', 'raw', '/a/disk.img']);
  expect(convertArgv(target, base)).toEqual([
    'qemu-img',
    'convert',
    '-f',
    'qcow2',
    '-O',
    'raw',
    '/b/disk.qcow2',
    '/a/disk.img',
  ]);
  expect(compareArgv(base, target)).toEqual([
    ...['qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', '/a/disk.img', '/b/disk.qcow2'],
  ]);
  expect(resizeArgv(target, 7)).toEqual(['qemu-img', 'resize', '-q', '-f', 'qcow2', '/b/disk.qcow2', '7']);
});

test('an overlay is committed to the disk below it, which the overlay need not name', () => {
  const [node, ...rest] = commitArgv('/w/top.qcow2', '/w/disk.raw').toReversed();
  expect(rest.toReversed()).toEqual(['qemu-img', 'commit', '-q', '-d', '-t', 'unsafe']);
  expect(JSON.parse(node?.slice('json:'.length) ?? '')).toEqual({
    driver: 'qcow2',
    file: { driver: 'file', filename: '/w/top.qcow2' },
    backing: { driver: 'raw', file: { driver: 'file', filename: '/w/disk.raw' }, discard: 'unmap' },
  });
});

test.each(['json:{}', 'nbd:host:1', '-o', 'disk.qcow2'])('%s is never handed to qemu-img as a path', (path) => {
  expect(() => infoArgv({ path, format: 'raw' })).toThrow('not an absolute path');
});

test('the virtual size is read', () => {
  expect(parseInfo('{"virtual-size": 2167406592, "filename": "x", "format": "qcow2"}', '/x')).toEqual({
    virtualSize: 2167406592,
  });
});

test.each([
  { 'virtual-size': 1, 'backing-filename': '/etc/passwd' },
  { 'virtual-size': 1, 'format-specific': { type: 'qcow2', data: { 'data-file': '/etc/shadow' } } },
])('a disk that leads to another file is refused: %o', (info) => {
  expect(() => parseInfo(JSON.stringify(info), '/x')).toThrow('leads to another file');
});

test('a disk is flattened from layers that are named, never from what a file says lies below it', () => {
  const argv = flattenArgv({ path: '/l/top.qcow2', format: 'qcow2' }, [target, base], { path: '/w/d', format: 'raw' });
  expect(argv.slice(0, 4)).toEqual(['qemu-img', 'convert', '-O', 'raw']);
  expect(JSON.parse((argv[4] ?? '').replace(/^json:/, ''))).toMatchObject({
    driver: 'qcow2',
    file: { filename: '/l/top.qcow2' },
    backing: { driver: 'qcow2', file: { filename: '/b/disk.qcow2' }, backing: { driver: 'raw', 'read-only': true } },
  });
});
