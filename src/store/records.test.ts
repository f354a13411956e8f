import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StorePaths, storePaths } from './paths.ts';
import { readChecks, readHistory, readPin, writeChecks, writeHistory, writePin } from './records.ts';

let paths: StorePaths;
beforeEach(async () => {
  paths = storePaths(await mkdtemp(join(tmpdir(), 'ingot-records-')));
});
afterEach(() => rm(paths.home, { recursive: true }));

test('what was never written is not known', async () => {
  expect(await readPin(paths, 'id')).toBeUndefined();
  expect(readHistory(paths, 'web', 'x86_64')).toBeUndefined();
  expect(await readChecks(paths, 'abc', 'asked')).toBeUndefined();
});

test('pins, histories and checks are read as they were written, the last one', async () => {
  await writePin(paths, 'id', { release: 'old' });
  await writePin(paths, 'id', { release: 'new' });
  expect(await readPin(paths, 'id')).toEqual({ release: 'new' });
  await writePin(paths, 'none', null);
  expect(await readPin(paths, 'none')).toBeNull();
  const history = { steps: [{ id: 'source', key: 'k', inputs: { a: '1' }, seconds: 2 }] };
  await writeHistory(paths, 'web', 'x86_64', history);
  expect(readHistory(paths, 'web', 'x86_64')).toEqual(history);
  expect(readHistory(paths, 'web', 'aarch64')).toBeUndefined();
});

test('checks are remembered for one artifact and one question', async () => {
  const checks = [{ check: 'boot', title: 'boot', outcome: 'done', seconds: 1 }] as const;
  await writeChecks(paths, 'sha-1', 'question-one-is-long', checks);
  expect(await readChecks(paths, 'sha-1', 'question-one-is-long')).toEqual(checks);
  expect(await readChecks(paths, 'sha-2', 'question-one-is-long')).toBeUndefined();
  expect(await readChecks(paths, 'sha-1', 'another-question')).toBeUndefined();
});

test('a record that cannot be read is as good as none', async () => {
  await writePin(paths, 'id', 1);
  await writeFile(join(paths.pins, 'id.json'), '{"half');
  expect(await readPin(paths, 'id')).toBeUndefined();
  await writeHistory(paths, 'web', 'x86_64', { steps: [] });
  await writeFile(join(paths.history, 'web-x86_64.json'), '');
  expect(readHistory(paths, 'web', 'x86_64')).toBeUndefined();
});
