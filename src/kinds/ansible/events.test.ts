import { expect, test } from 'vitest';
import type { EventBody } from '../../core/events.ts';
import type { StepContext } from '../../core/kinds.ts';
import { eventOf, Report, taskFailure } from './events.ts';

const task = (name: string, state: string, more: object = {}) =>
  JSON.stringify({
    event: 'task',
    name,
    state,
    where: '/project/playbooks/site.yml:7',
    lines: [],
    warnings: [],
    ...more,
  });

function reported(...lines: readonly string[]) {
  const events: EventBody[] = [];
  const ctx = { step: '1-ansible', emit: (event: EventBody) => events.push(event) } as unknown as StepContext;
  const report = new Report(['/project', '/work/installed'], ctx);
  for (const line of lines) report.add(line);
  return { report, events, log: events.flatMap((event) => (event.type === 'log' ? [event.line] : [])) };
}

test('each task becomes a line of the log and a step of progress', () => {
  const { report, events, log } = reported(
    '{"event":"play","name":"web"}',
    '{"event":"begin","name":"install nginx"}',
    task('install nginx', 'changed'),
    task('look', 'ok', { lines: ['all is well'], warnings: ['old module'] }),
    task('elsewhere', 'skipped'),
    task('try', 'ignored'),
    '{"event":"retry","name":"wait","left":4}',
  );
  expect(log).toEqual([
    'play: web',
    'task: install nginx ...',
    'task: install nginx (changed)',
    'task: look (ok)',
    '  all is well',
    '  warning: old module',
    'task: elsewhere (skipped)',
    'task: try (failed, which is ignored)',
    'task: wait (again, 4 tries left)',
  ]);
  expect(events.filter(({ type }) => type === 'progress').at(-1)).toEqual({
    ...{ type: 'progress', id: '1-ansible', done: 4, unit: 'items' },
  });
  expect(report.count).toBe(4);
  expect(report.changed.map(({ name }) => name)).toEqual(['install nginx']);
  expect(report.failed).toBeUndefined();
});

test('a play for other groups is named', () => {
  expect(reported('{"event":"play","name":"db"}', '{"event":"unmatched"}').log.at(-1)).toBe(
    'play: db is for no group of this image',
  );
});

test('text that is no event, and text in events, reaches the log harmless', () => {
  const { log } = reported('a \u001b[31mred\u001b[0m line', task('b\u0007', 'failed', { lines: ['one\ntwo'] }));
  expect(log).toEqual(['a red line', 'task: b\\x07 (failed)', '  one', 'two']);
});

test('the failure that ended the playbook is told with its reason and its place in the project', () => {
  const { report } = reported(
    task('first', 'failed', { lines: ['was rescued'] }),
    task('install', 'failed', { lines: ['exit code 3', 'no such thing'] }),
    task('tidy', 'ok'),
  );
  const failed = report.failed;
  expect(failed === undefined ? undefined : taskFailure(report, failed)).toEqual({
    code: 'STEP_FAILED',
    message: 'the task "install" failed: exit code 3',
    detail: ['at playbooks/site.yml:7', 'no such thing'],
  });
});

test.each([
  ['/project/playbooks/site.yml:7', 'playbooks/site.yml:7'],
  [
    '/work/installed/ansible_collections/a/b/roles/c/tasks/main.yml:1',
    'ansible_collections/a/b/roles/c/tasks/main.yml:1',
  ],
  ['/projects/x.yml:1', '/projects/x.yml:1'],
])('the task at %s is shown at %s', (where, shown) => {
  const { report } = reported(task('a', 'changed', { where }));
  expect(report.changed.map((one) => report.where(one))).toEqual([shown]);
});

test.each(['', 'text', '{}', '{"event":"stats"}', task('a', 'odd')])('%j is no event', (line) => {
  expect(eventOf(line)).toBeUndefined();
});
