import { expect, test } from 'vitest';
import { PassingFault, verdictOf } from './github-faults.ts';

const now = Date.parse('2026-11-21T12:00:00Z');

const answered = (status: number, headers: Readonly<Record<string, string>> = {}, data: unknown = {}, message = 'no') =>
  Object.assign(new Error(message), { status, response: { headers, data } });
const broken = (code: string) =>
  Object.assign(new Error('fetch failed'), {
    status: 500,
    cause: new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) }),
  });

test.each([
  ['Retry-After in seconds', answered(403, { 'retry-after': '12' }), { kind: 'wait', milliseconds: 12_000 }],
  [
    'Retry-After as a date',
    answered(429, { 'retry-after': 'Sat, 21 Nov 2026 12:00:05 GMT' }),
    { kind: 'wait', milliseconds: 5000 },
  ],
  [
    'the primary limit',
    answered(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 + 60) }),
    { kind: 'wait', milliseconds: 61_000 },
  ],
  [
    'a limit that is lifted already',
    answered(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 - 60) }),
    { kind: 'wait', milliseconds: 1000 },
  ],
  [
    'a secondary limit',
    answered(403, {}, {}, 'You have exceeded a secondary rate limit'),
    { kind: 'wait', milliseconds: 60_000 },
  ],
  ['429 and no more', answered(429), { kind: 'wait', milliseconds: 60_000 }],
  ['500', answered(500), { kind: 'again', why: 'GitHub answered 500' }],
  ['a cut connection', broken('ECONNRESET'), { kind: 'again', why: 'the connection was cut' }],
  ['a stall of our own', new PassingFault('nothing moved'), { kind: 'again', why: 'nothing moved' }],
  [
    'a name that is taken',
    answered(422, {}, { errors: [{ resource: 'ReleaseAsset', code: 'already_exists' }] }),
    { kind: 'taken' },
  ],
])('%s', (_, error, verdict) => {
  expect(verdictOf(error, 'x', now)).toMatchObject(verdict);
});

test.each([
  [401, {}, 'AUTH'],
  [403, { 'x-ratelimit-remaining': '4000', 'x-ratelimit-reset': '1' }, 'AUTH'],
  [404, {}, 'NOT_FOUND'],
  [422, {}, 'TOOL_FAILED'],
])('%i ends it', (status, headers, code) => {
  const verdict = verdictOf(answered(status, headers), 'the releases of o/n', now);
  expect(verdict).toMatchObject({ kind: 'lasting', error: { code } });
  expect('error' in verdict ? verdict.error.message : '').toMatch(/^the releases of o\/n: /);
});

test('a certificate that is not good ends it', () => {
  expect(verdictOf(broken('SELF_SIGNED_CERT_IN_CHAIN'), 'x', now)).toMatchObject({
    kind: 'lasting',
    error: { code: 'TOOL_FAILED' },
  });
});
