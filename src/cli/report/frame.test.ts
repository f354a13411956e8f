import { expect, test } from 'vitest';
import type { EventBody } from '../../core/events.ts';
import { marksFor, painter } from '../terminal.ts';
import { width } from '../text.ts';
import { epitaph, type FrameView, frame } from './frame.ts';
import { advance, type BuildProgress, type Progress } from './progress.ts';

const view: FrameView = {
  columns: 60,
  rows: 20,
  nowMs: 12_000,
  paint: painter(false),
  marks: marksFor({ LANG: 'C.UTF-8' }),
};

function after(events: readonly (readonly [atMs: number, event: EventBody])[], build = 'b1'): BuildProgress {
  let progress: Progress = new Map();
  for (const [seq, [atMs, event]] of events.entries()) {
    progress = advance(progress, { ...event, seq, time: '', build }, atMs);
  }
  return progress.get(build) as BuildProgress;
}

const start = [0, { type: 'build.start', image: 'debian-13', arch: 'x86_64', key: 'k' }] as const;
const done = (id: string, title: string, seconds: number, outcome: 'done' | 'cached' = 'done') =>
  [0, { type: 'step.end', id, title, outcome, seconds }] as const;
const running = [10_000, { type: 'step.start', id: 'r', title: 'run scripts/base.sh', expectedSeconds: 5 }] as const;
const output = [11_000, { type: 'log', id: 'r', line: '\u001b[2JSetting up vim\r' }] as const;

test('a build shows what was stored together, what ended, and what runs with its last line', () => {
  const build = after([
    start,
    done('a', 'a', 0, 'cached'),
    done('b', 'b', 0, 'cached'),
    done('c', 'copy files', 3.44),
    running,
    output,
  ]);
  expect(frame([build], view)).toEqual([
    'debian-13 x86_64                                       12 s',
    '  ✓ 2 steps                                          cached',
    '  ✓ copy files                                        3.4 s',
    '  • run scripts/base.sh                         2 s of ~5 s',
    '    Setting up vim\\x0d',
  ]);
});

test('bytes with a known end become a bar, without one a count', () => {
  const known = [11_000, { type: 'progress', id: 'r', done: 30e6, total: 120e6, unit: 'bytes' }] as const;
  const open = [11_000, { type: 'progress', id: 'r', done: 30e6, unit: 'bytes' }] as const;
  expect(frame([after([start, running, output, known])], view).at(-1)).toBe(
    `    ${'█'.repeat(8)}${'░'.repeat(22)}   25 %  30 MB of 120 MB`,
  );
  expect(frame([after([start, running, output, open])], view).at(-1)).toBe('    30 MB');
});

test('of bytes that keep coming the rate and the time left are told, where there is room', () => {
  const came = (atMs: number, done: number, total: number | undefined = 120e6) =>
    [atMs, { type: 'progress', id: 'r', done, ...(total === 0 ? {} : { total }), unit: 'bytes' }] as const;
  const last = (columns: number, ...events: readonly (readonly [number, EventBody])[]) =>
    frame([after([start, running, ...events])], { ...view, columns }).at(-1);
  const steady = [came(10_000, 20e6), came(11_000, 30e6), came(12_000, 40e6)];
  expect(last(79, ...steady)).toBe(`    ${'█'.repeat(10)}${'░'.repeat(20)}   33 %  40 MB of 120 MB  10 MB/s  8 s left`);
  expect(last(50, ...steady)).toBe(`    ${'█'.repeat(7)}${'░'.repeat(14)}   33 %  40 MB of 120 MB`);
  expect(last(79, came(10_000, 20e6, 0), came(12_000, 30e6, 0))).toBe('    30 MB  5.0 MB/s');
  // What was there before, and what begins again, says nothing about the rate.
  expect(last(79, came(10_000, 60e6))).toContain(' 50 %  60 MB of 120 MB');
  expect(last(79, ...steady, came(12_500, 0))).toMatch(/ {3}0 % {2}0 B of 120 MB$/);
  expect(last(79, ...steady, came(22_000, 40e6))).toContain('1.4 MB/s  60 s left');
});

test('on a low terminal old finished steps go first, and the running one stays', () => {
  const steps = Array.from({ length: 30 }, (_, index) => done(`s${index}`, `step ${index}`, 1));
  const lines = frame([after([start, ...steps, running, output])], { ...view, rows: 8 });
  expect(lines).toHaveLength(7);
  expect(lines[1]).toBe('  ✓ 27 earlier lines done');
  expect(lines[4]).toContain('step 29');
  expect(lines[5]).toContain('run scripts/base.sh');
});

test.each([
  [80, 24, 1],
  [40, 10, 1],
  [40, 10, 3],
  [20, 5, 3],
  [12, 3, 9],
  [1, 1, 2],
])('nothing is wider or higher than a terminal of %d x %d with %d builds', (columns, rows, builds) => {
  const steps = Array.from({ length: 12 }, (_, index) =>
    done(`s${index}`, `a step with a long title 日本語 ${index}`, 1),
  );
  const many = Array.from({ length: builds }, (_, index) => after([start, ...steps, running, output], `b${index}`));
  const lines = frame(many, { ...view, columns, rows });
  expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
  for (const line of lines) expect(width(line)).toBeLessThanOrEqual(Math.max(columns - 1, 4));
});

test('more builds than lines are counted', () => {
  const many = Array.from({ length: 9 }, (_, index) => after([start, running], `b${index}`));
  const lines = frame(many, { ...view, rows: 5 });
  expect(lines[0]).toBe('debian-13 x86_64  • run scripts/base.sh                12 s');
  expect(lines.at(-1)).toBe('and 6 more builds');
});

test('a build with nothing to do ends as one line', () => {
  const end = [
    90,
    { type: 'build.end', image: 'debian-13', arch: 'x86_64', outcome: 'cached', seconds: 0.09 },
  ] as const;
  expect(epitaph(after([start, done('a', 'a', 0, 'cached'), end]), view)).toEqual([
    '✓ debian-13 x86_64  nothing changed (0.1 s)',
  ]);
});

test('a build that was stopped says which step it was in', () => {
  const end = [
    12_000,
    { type: 'build.end', image: 'debian-13', arch: 'x86_64', outcome: 'cancelled', seconds: 12 },
  ] as const;
  expect(epitaph(after([start, done('c', 'copy files', 3), running, output, end]), view)).toEqual([
    'debian-13 x86_64',
    '  ✓ copy files                                        3.0 s',
    '  ✗ run scripts/base.sh               cancelled after 2.0 s',
    '✗ debian-13 x86_64  cancelled after 12 s',
  ]);
});
