import type { LookupFunction } from 'node:net';
import { expect, test } from 'vitest';
import {
  guardedLookup,
  isLocal,
  parseAddress,
  parseContentRange,
  passingFault,
  redirectTarget,
  retryAfterMs,
  shownUrl,
  validatorOf,
} from './fetch-rules.ts';

const first = 'https://a.example/x';

test.each([
  ['/y', 'https://a.example/y'],
  ['https://b.example/y', 'https://b.example/y'],
  ['https://10.0.0.1/y', 'https://10.0.0.1/y'],
])('a redirect to %s is followed', (location, target) => {
  expect(redirectTarget(new URL(first), location, new URL(first)).href).toBe(target);
});

test.each([
  ['http://a.example/x', 'from https to http'],
  ['file:///etc/passwd', 'to file:'],
  ['ftp://a.example/', 'to ftp:'],
  ['data:,x', 'to data:'],
  ['https://127.0.0.1/', 'this machine'],
  ['https://localhost/', 'this machine'],
  ['https://x.localhost./', 'this machine'],
  ['https://2130706433/', 'this machine'],
  ['https://0x7f.1/', 'this machine'],
  ['https://0.0.0.0/', 'this machine'],
  ['https://[::1]/', 'this machine'],
  ['https://[::ffff:127.0.0.1]/', 'this machine'],
  ['https://[::]/', 'this machine'],
  ['https://169.254.169.254/latest/meta-data', 'this machine'],
  ['https://[fe80::1]/', 'this machine'],
  ['https://[', 'to no address'],
  [undefined, 'to no address'],
])('a redirect to %s is refused: %s', (location, why) => {
  expect(() => redirectTarget(new URL(first), location, new URL(first))).toThrow(why);
});

test('this machine may redirect to itself', () => {
  const local = new URL('http://127.0.0.1:8000/x');
  expect(redirectTarget(local, 'http://localhost:8001/y', local).port).toBe('8001');
});

function lookedUp(host: string, firstHost: string, addresses: readonly string[]): Promise<unknown> {
  const resolve: LookupFunction = (_host, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  return new Promise((settle, fail) => {
    guardedLookup(firstHost, resolve)(host, { all: true }, (error, found) => (error ? fail(error) : settle(found)));
  });
}

test('a name of another host that turns out to be this machine is refused', async () => {
  await expect(lookedUp('b.example', 'a.example', ['192.0.2.1', '127.0.0.1'])).rejects.toThrow('b.example');
  await expect(lookedUp('b.example', 'a.example', ['192.0.2.1'])).resolves.toHaveLength(1);
  await expect(lookedUp('a.example', 'a.example', ['127.0.0.1'])).resolves.toHaveLength(1);
});

test('private networks are not local', () => {
  expect(['10.1.2.3', '192.168.1.1', 'example.org', '8.8.8.8', 'fd00::1'].filter(isLocal)).toEqual([]);
});

test.each([['file:///etc/passwd'], ['ftp://a/b'], ['/etc/passwd'], ['']])('%s is no address to download', (url) => {
  expect(() => parseAddress(url)).toThrow('not an http');
});

test('an address is shown without its password and query', () => {
  expect(shownUrl(new URL('https://u:p@a.example:8443/x?sig=1#f'))).toBe('https://a.example:8443/x?...');
});

test.each([
  [{ etag: '"x"' }, '"x"'],
  [{ etag: 'W/"x"' }, undefined],
  [{ etag: 'x' }, undefined],
  [
    { etag: 'W/"x"', 'last-modified': 'Sat, 15 Nov 2025 10:00:00 GMT', date: 'Sat, 15 Nov 2025 10:00:05 GMT' },
    undefined,
  ],
  [{ 'last-modified': 'Sat, 15 Nov 2025 10:00:00 GMT' }, undefined],
  [{ 'last-modified': 'nonsense', date: 'Sat, 15 Nov 2025 10:00:05 GMT' }, undefined],
])('of %o the validator is %s', (headers, validator) => {
  expect(validatorOf(headers)).toBe(validator);
});

test.each([
  ['bytes 5-9/10', { start: 5, total: 10 }],
  ['bytes 5-9/*', { start: 5, total: undefined }],
  ['bytes */10', { start: undefined, total: 10 }],
  ['bytes 5-/10', undefined],
  ['items 5-9/10', undefined],
  [undefined, undefined],
])('Content-Range %s is %o', (text, range) => {
  expect(parseContentRange(text)).toEqual(range);
});

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('2025-11-15T10:00:00Z');
  expect(retryAfterMs('7', now)).toBe(7000);
  expect(retryAfterMs('Sat, 15 Nov 2025 10:00:05 GMT', now)).toBe(5000);
  expect(retryAfterMs('Sat, 15 Nov 2025 09:00:00 GMT', now)).toBe(0);
  expect(retryAfterMs('soon', now)).toBeUndefined();
  expect(retryAfterMs(undefined, now)).toBeUndefined();
});

test('faults of the network pass, faults of trust and of our own do not', () => {
  const coded = (code: string) => Object.assign(new Error(code), { code });
  expect(passingFault(coded('ECONNRESET'))).toBe('the connection was cut');
  expect(passingFault(new Error('fetch failed', { cause: coded('ENOTFOUND') }))).toContain('cannot be resolved');
  expect(passingFault(new AggregateError([coded('ECONNREFUSED')]))).toContain('refused');
  expect(passingFault(coded('CERT_HAS_EXPIRED'))).toBeUndefined();
  expect(passingFault(new TypeError('x is not a function'))).toBeUndefined();
});
