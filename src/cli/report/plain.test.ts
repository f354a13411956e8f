import { expect, test } from 'vitest';
import type { EventBody } from '../../core/events.ts';
import { marksFor, painter } from '../terminal.ts';
import { type PlainView, plainReporter } from './plain.ts';

function setUp(detail: PlainView['detail']) {
  const clock = { ms: 0 };
  const lines: string[] = [];
  let tick = () => {};
  const reporter = plainReporter({
    line: (text) => void lines.push(text),
    paint: painter(false),
    marks: marksFor({}),
    clock: {
      now: () => clock.ms,
      every: (_ms, act) => {
        tick = act;
        return () => {};
      },
    },
    detail,
  });
  const emit = (event: EventBody, build = 'b1') => reporter.event({ ...event, seq: 1, time: '', build });
  const wait = (seconds: number) => {
    clock.ms += seconds * 1000;
    tick();
  };
  return { reporter, emit, wait, lines };
}

const start: EventBody = { type: 'build.start', image: 'debian-13', arch: 'x86_64', key: 'k' };
const step: EventBody = { type: 'step.start', id: 's', title: 'run scripts/base.sh', expectedSeconds: 20 };
const log: EventBody = { type: 'log', id: 's', line: 'Setting up vim\u0007' };
const failed: EventBody = {
  type: 'step.end',
  id: 's',
  title: 'run scripts/base.sh',
  outcome: 'failed',
  seconds: 3.1,
  error: { code: 'STEP_FAILED', message: 'exit code 1' },
};
const end: EventBody = {
  type: 'build.end',
  image: 'debian-13',
  arch: 'x86_64',
  outcome: 'failed',
  seconds: 3.2,
  error: { code: 'STEP_FAILED', message: 'exit code 1' },
};

test('each change of state is one line', () => {
  const { emit, lines } = setUp('normal');
  for (const event of [start, step, log, failed, end]) emit(event);
  expect(lines).toEqual([
    'debian-13 x86_64: started',
    'debian-13 x86_64: * run scripts/base.sh (about 20 s)',
    'debian-13 x86_64: x run scripts/base.sh (failed after 3.1 s)',
    'debian-13 x86_64: x failed after 3.2 s: exit code 1',
  ]);
});

test('verbose adds every line of the tools, made harmless', () => {
  const { emit, lines } = setUp('verbose');
  for (const event of [start, step, log]) emit(event);
  expect(lines.at(-1)).toBe('debian-13 x86_64:   Setting up vim\\x07');
});

test('quiet keeps warnings only, with their next step', () => {
  const { emit, lines } = setUp('quiet');
  for (const event of [start, step, log, failed, end]) emit(event);
  emit({ type: 'warning', message: 'no kvm', hint: 'ingot doctor' });
  expect(lines).toEqual(['warning: no kvm', '  next: ingot doctor']);
});

test('a long silent step gives a sign of life every 30 seconds', () => {
  const { emit, wait, lines } = setUp('normal');
  emit(start);
  emit(step);
  wait(20);
  expect(lines).toHaveLength(2);
  wait(15);
  wait(5);
  expect(lines.slice(2)).toEqual(['debian-13 x86_64: * still at run scripts/base.sh (35 s)']);
  emit({ type: 'progress', id: 's', done: 5e6, unit: 'bytes' });
  wait(30);
  expect(lines.at(-1)).toBe('debian-13 x86_64: * still at run scripts/base.sh (1 min 10 s, 5.0 MB so far)');
  emit({ type: 'progress', id: 's', done: 5e6, total: 65e6, unit: 'bytes' });
  wait(10);
  emit({ type: 'progress', id: 's', done: 15e6, total: 65e6, unit: 'bytes' });
  wait(30);
  expect(lines.at(-1)).toContain('15 MB of 65 MB so far, 1.0 MB/s, 50 s left)');
});

test('with several builds a warning says whose it is', () => {
  const { emit, lines } = setUp('quiet');
  emit(start, 'b1');
  emit({ ...start, image: 'debian-12' }, 'b2');
  emit({ type: 'warning', message: 'no kvm' }, 'b2');
  expect(lines).toEqual(['warning: debian-12 x86_64: no kvm']);
});
