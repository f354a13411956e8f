import { expect, test } from 'vitest';
import { findDigest } from './sums.ts';

const a = 'a'.repeat(64);
const b = 'b'.repeat(64);
const c = 'c'.repeat(128);
const find = (text: string, name = 'disk.img') => findDigest(text, name, 'https://a.example/SUMS');

test.each<[string, string, object]>([
  ['sha256sum', `${b}  other.img\n${a}  disk.img\n`, { sha256: a }],
  ['sha256sum --binary', `${a} *disk.img\n`, { sha256: a }],
  ['sha512sum', `${c}  disk.img\n`, { sha512: c }],
  ['sha256sum of a folder', `${a}  ./images/disk.img\n`, { sha256: a }],
  ['BSD, with remarks', `# disk.img: 8 bytes\nSHA256 (disk.img) = ${a}\n`, { sha256: a }],
  ['BSD with SHA-512', `SHA512 (disk.img) = ${c}\n`, { sha512: c }],
  ['Windows line ends and capital digits', `${a.toUpperCase()}  disk.img\r\n`, { sha256: a }],
  ['both digests', `SHA512 (disk.img) = ${c}\nSHA256 (disk.img) = ${a}\n`, { sha256: a }],
  ['a weak one beside', `${'d'.repeat(32)}  disk.img\n${a}  disk.img\n`, { sha256: a }],
  ['the same twice', `${a}  disk.img\n${a}  ./disk.img\n`, { sha256: a }],
  ['the digits alone', `${a}\n`, { sha256: a }],
  ['a sidecar of Ingot', `${a}  disk.img\n`, { sha256: a }],
])('a list in the way of %s is understood', (_, text, digest) => {
  expect(find(text)).toEqual(digest);
});

test.each<[string, string, string, RegExp]>([
  ['without the file', `${a}  other.img\n`, 'NOT_FOUND', /has no checksum for disk\.img/],
  ['with a longer name', `${a}  my-disk.img\n${b}  disk.img.xz\n`, 'NOT_FOUND', /has no checksum/],
  ['that is a page', '<!DOCTYPE html><p>not found', 'NOT_FOUND', /has no checksum/],
  ['that is empty', '', 'NOT_FOUND', /has no checksum/],
  ['with two answers', `${a}  a/disk.img\n${b}  b/disk.img\n`, 'INPUT_REFUSED', /different checksums/],
  ['of MD5', `${'d'.repeat(32)}  disk.img\n`, 'INPUT_REFUSED', /only weak checksums/],
  ['of SHA-1', `${'d'.repeat(40)}  disk.img\n`, 'INPUT_REFUSED', /only weak checksums/],
  ['of half a digest', `${a.slice(1)}  disk.img\n`, 'INPUT_REFUSED', /only weak/],
  ['without an end', 'x'.repeat(5_000_000), 'INPUT_REFUSED', /too long/],
])('a list %s is no answer', (_, text, code, message) => {
  expect(() => find(text)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
});

test('a file that has another version in its name now is pointed out', () => {
  const list = `${a}  disk-42-1.2.x86_64.qcow2\n${a}  disk-42-1.2.aarch64.qcow2\n`;
  expect(() => find(list, 'disk-42-1.1.x86_64.qcow2')).toThrow(
    expect.objectContaining({ hint: 'it has disk-42-1.2.x86_64.qcow2' }),
  );
});
