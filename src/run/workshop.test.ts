import { expect, test } from 'vitest';
import { imageOf } from '../../test/support/spec-project.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { EventBody } from '../core/events.ts';
import type { Host } from '../core/host.ts';
import { redactor, secretsOf, type Workshop, withStep } from './workshop.ts';

/** What is left of a line of output after these secrets were taken out. */
function shown(line: string, ...secrets: readonly string[]): string {
  return redactor(secrets)({ type: 'log', id: '1-shell', line }).line;
}

const secret = `p@ss w"o'rd/über`;
const json = JSON.stringify(secret).slice(1, -1);

test.each([
  ['as it is', `login ${secret} ok`, 'login *** ok'],
  ['twice', `${secret}${secret}`, '******'],
  ['in a URL', `https://me:${encodeURIComponent(secret)}@host`, 'https://me:***@host'],
  ['in JSON', `{"password":"${json}"}`, '{"password":"***"}'],
  ['in hex', Buffer.from(secret).toString('hex'), '***'],
  ['in capital hex', `x ${Buffer.from(secret).toString('hex').toUpperCase()}`, 'x ***'],
  ['as a shell shows a word in quotes', `+ curl -u 'p@ss w"o'\\''rd/über'`, `+ curl -u '***'`],
  ['as dash shows a word in quotes', `+ curl -u p@ss w"o'"'"'rd/über`, '+ curl -u ***'],
])('a secret is not shown %s', (_, line, expected) => {
  expect(shown(line, secret)).toBe(expected);
});

test.each([0, 1, 2, 3, 4])('a secret is not shown in base64 with %d bytes before it', (before) => {
  const encoded = Buffer.from(`${'x'.repeat(before)}${secret}:tail`).toString('base64');
  const line = shown(encoded, secret);
  expect(line).toContain('***');
  expect(Buffer.from(line.replaceAll('***', ''), 'base64').toString()).not.toContain('w"o');
  expect(line.length).toBeLessThan(20);
});

test('each line of a secret of several lines is taken out, but no trifles', () => {
  expect(shown('key: -----BEGIN and MIIEabc', '-----BEGIN\nMIIEabc\nx\n')).toBe('key: *** and ***');
  expect(shown('an x stays', '-----BEGIN\nx\n')).toBe('an x stays');
});

test('of two secrets, one in the other, the longer is taken out whole', () => {
  expect(shown('abcdef abc', 'abc', 'abcdef')).toBe('*** ***');
});

test('without secrets, or with empty ones, nothing changes', () => {
  expect(shown('a b', '')).toBe('a b');
});

test('titles, messages, hints and details are cleaned; what programs read of an event is not', () => {
  const event = {
    ...{ type: 'step.end', id: '1-send', title: 'send end', outcome: 'failed', seconds: 1 },
    error: { code: 'STEP_FAILED', message: 'the end', hint: 'no end', detail: ['a', 'end'] },
  };
  expect(redactor(['end'])(event)).toEqual({
    ...{ type: 'step.end', id: '1-send', title: 's*** ***', outcome: 'failed', seconds: 1 },
    error: { code: 'STEP_FAILED', message: 'the ***', hint: 'no ***', detail: ['a', '***'] },
  });
});

function stage() {
  const events: EventBody[] = [];
  const stop = new AbortController();
  let now = 0;
  const host = { monotonic: () => (now += 1500) } as Host;
  const ctx: Context = { host, signal: stop.signal, emit: (event) => events.push(event), step: '' };
  return { events, stop, ctx };
}

test('a piece of work stands between its two events, under its own id', async () => {
  const { events, ctx } = stage();
  const { value, seconds } = await withStep(
    { id: 'seal', title: 'seal', expectedSeconds: 2 },
    ctx,
    async ({ step }) => step,
  );
  expect([value, seconds]).toEqual(['seal', 1.5]);
  expect(events).toEqual([
    { type: 'step.start', id: 'seal', title: 'seal', expectedSeconds: 2 },
    { type: 'step.end', id: 'seal', title: 'seal', outcome: 'done', seconds: 1.5 },
  ]);
});

test('a failure is told with its error and passed on', async () => {
  const { events, ctx } = stage();
  const error = new IngotError({ code: 'STEP_FAILED', message: 'broke', detail: ['a'] });
  await expect(withStep({ id: 'x', title: 'X' }, ctx, () => Promise.reject(error))).rejects.toBe(error);
  expect(events[1]).toMatchObject({
    outcome: 'failed',
    error: { code: 'STEP_FAILED', message: 'broke', detail: ['a'] },
  });
});

test('work that was stopped is cancelled, and none begins after a stop', async () => {
  const { events, ctx, stop } = stage();
  const action = () => {
    stop.abort(new Error('stopped'));
    return Promise.reject(new Error('stopped'));
  };
  await expect(withStep({ id: 'x', title: 'X' }, ctx, action)).rejects.toThrow('stopped');
  await expect(withStep({ id: 'y', title: 'Y' }, ctx, action)).rejects.toThrow('stopped');
  expect(events.map((event) => ('outcome' in event ? event.outcome : event.type))).toEqual(['step.start', 'cancelled']);
});

test('the password of a login is among the secrets of an image', () => {
  const workshop = { secret: (name: string) => `value of ${name}` } as unknown as Workshop;
  const text = 'source: { packages: { suite: trixie } }\nssh: { user: a, password: "${secret.p}" }\n';
  expect(secretsOf(workshop, imageOf(text))).toEqual(['value of p']);
});
