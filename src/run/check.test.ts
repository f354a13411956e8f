import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { EventBody } from '../core/events.ts';
import type { Host } from '../core/host.ts';
import { byName, type Check, defineCheck } from '../core/kinds.ts';
import type { KindUse } from '../core/spec.ts';
import { CheckError, type CheckRequest, checkArtifact } from './check.ts';

/** A check of the file alone that does this. */
function fileCheck(name: string, run: Check['run']): Check {
  return defineCheck({
    ...{ name, version: 1, summary: '', options: z.unknown(), example: {}, needs: 'file' },
    title: () => `the ${name}`,
    run,
  });
}

function setting(...checks: readonly Check[]) {
  const events: EventBody[] = [];
  const stop = new AbortController();
  const files = { makeDirectory: async () => undefined };
  const host = { files, monotonic: () => 0 } as unknown as Host;
  const emit = (event: EventBody) => void events.push(event);
  const ctx: Context = { host, signal: stop.signal, emit, step: 'check' };
  const place = { file: 'x', line: 1, column: 1 };
  const uses: readonly KindUse[] = checks.map(({ name }) => ({
    ...{ kind: name, options: {}, place },
    refs: { site: {}, pins: {}, secrets: [] },
  }));
  const request: CheckRequest = {
    ...{ medium: { path: '/a/disk.qcow2', format: 'qcow2' }, arch: 'x86_64', firmware: ['bios'], memory: 1, cpus: 1 },
    ...{ virtualization: 'auto', secureBoot: false, packages: [], scratch: '/s', logs: '/l', state: '/t' },
    ...{ uses, kinds: { checks: byName(checks) } },
  };
  return { ctx, request, events, stop };
}

const good = fileCheck('good', async () => 'seen it');
const notSo = new IngotError({ code: 'CHECK_FAILED', message: 'it is not so', detail: ['a line'] });
const bad = fileCheck('bad', () => Promise.reject(notSo));

test('checks of the file alone boot no guest, and give their evidence', async () => {
  const { ctx, request, events } = setting(good);
  const report = await checkArtifact(request, ctx);
  expect(report).toMatchObject({ results: [{ check: 'good', outcome: 'done', evidence: 'seen it' }] });
  expect(report.accelerator).toBeUndefined();
  expect(events.map(({ type }) => type)).toEqual(['step.start', 'step.end']);
});

test('after a failure the others still run, and all failures are named together', async () => {
  const worse = fileCheck('worse', () => Promise.reject(notSo));
  const { ctx, request } = setting(bad, good, worse);
  const failure = await checkArtifact(request, ctx).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(CheckError);
  expect(failure).toMatchObject({
    code: 'CHECK_FAILED',
    message: '2 checks failed: the bad, the worse',
    report: { results: [{ outcome: 'failed' }, { outcome: 'done' }, { outcome: 'failed' }] },
  });
  expect((failure as CheckError).detail).toContain('the bad: it is not so');
});

test('each check is a step of its own, numbered as in the spec', async () => {
  const { ctx, request, events } = setting(good, bad);
  await checkArtifact(request, ctx).catch(() => undefined);
  const ends = events.flatMap((event) => (event.type === 'step.end' ? [[event.id, event.outcome]] : []));
  expect(ends).toEqual([
    ['check-1-good', 'done'],
    ['check-2-bad', 'failed'],
  ]);
});

test('checks of another file of the same image are told apart', async () => {
  const { ctx, request, events } = setting(good);
  const { results } = await checkArtifact({ ...request, mark: 'ISO' }, ctx);
  expect(results.map(({ title }) => title)).toEqual(['the good (ISO)']);
  expect(events.map((event) => ('id' in event ? event.id : ''))).toEqual(['iso-check-1-good', 'iso-check-1-good']);
});

test('a cancelled run ends with the reason, and no further check starts', async () => {
  const { ctx, request, events, stop } = setting(
    fileCheck('slow', async () => {
      stop.abort(new IngotError({ code: 'CANCELLED', message: 'stopped' }));
      throw new Error('whatever');
    }),
    good,
  );
  await expect(checkArtifact(request, ctx)).rejects.toThrow('stopped');
  expect(events.at(-1)).toMatchObject({ id: 'check-1-slow', outcome: 'cancelled' });
});

test('our own bug is no failed check', async () => {
  const broken = fileCheck('broken', async () => {
    throw new TypeError('undefined is not a function');
  });
  const { ctx, request } = setting(broken);
  await expect(checkArtifact(request, ctx)).rejects.toBeInstanceOf(TypeError);
});
