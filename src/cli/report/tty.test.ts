import { expect, test } from 'vitest';
import type { EventBody } from '../../core/events.ts';
import { marksFor, painter } from '../terminal.ts';
import { ttyReporter } from './tty.ts';

function setUp() {
  const clock = { ms: 0 };
  const written: string[] = [];
  const drawn: string[] = [];
  let tick = () => {};
  let loaded = 0;
  const canvas = Object.assign((text: string) => void drawn.push(text), {
    clear: () => void drawn.push('(cleared)'),
    done: () => {},
    persist: () => {},
  });
  const reporter = ttyReporter({
    out: { write: (text) => void written.push(text), isTTY: true, columns: 60, rows: 12 },
    paint: painter(false),
    marks: marksFor({ LANG: 'C.UTF-8' }),
    clock: {
      now: () => clock.ms,
      every: (_ms, act) => {
        tick = act;
        return () => {
          tick = () => {};
        };
      },
    },
    canvas: async () => {
      loaded++;
      return canvas;
    },
  });
  const emit = (event: EventBody) => reporter.event({ ...event, seq: 1, time: '', build: 'b1' });
  const draw = async (ms: number) => {
    clock.ms = ms;
    tick();
    await Promise.resolve();
  };
  return { reporter, emit, draw, written, drawn, loads: () => loaded };
}

const start: EventBody = { type: 'build.start', image: 'debian-13', arch: 'x86_64', key: 'k' };
const step: EventBody = { type: 'step.start', id: 's', title: 'copy files' };
const end: EventBody = { type: 'build.end', image: 'debian-13', arch: 'x86_64', outcome: 'cached', seconds: 0.04 };

test('a build that ends before the first redraw needs no drawing library', async () => {
  const { reporter, emit, draw, written, loads } = setUp();
  emit(start);
  emit(end);
  await draw(100);
  reporter.close();
  expect(loads()).toBe(0);
  expect(written).toEqual(['✓ debian-13 x86_64  nothing changed (0.0 s)\n']);
});

test('the tree is drawn while a build runs, and makes way for what stays', async () => {
  const { reporter, emit, draw, written, drawn } = setUp();
  emit(start);
  emit(step);
  await draw(100);
  expect(drawn.at(-1)).toContain('• copy files');
  expect(written).toEqual(['\u001b[?25l']);
  emit({ type: 'warning', message: 'slow', hint: 'wait' });
  expect(drawn.slice(-2)).toEqual(['(cleared)', expect.stringContaining('• copy files')]);
  expect(written.join('')).toContain('warning: slow\n  next: wait\n');
  reporter.close();
  expect(drawn.at(-1)).toBe('(cleared)');
  expect(written.at(-1)).toBe('\u001b[?25h');
});

test('while something interactive has the terminal, nothing is drawn', async () => {
  const { reporter, emit, draw, written, drawn } = setUp();
  emit(start);
  emit(step);
  await draw(100);
  reporter.rest();
  const before = drawn.length;
  expect(written.at(-1)).toBe('\u001b[?25h');
  await draw(200);
  expect(drawn).toHaveLength(before);
  reporter.wake();
  await draw(300);
  expect(drawn).toHaveLength(before + 1);
});

test('a stop says what is being cleaned up', async () => {
  const { reporter, emit, draw, written } = setUp();
  emit(start);
  emit(step);
  await draw(100);
  reporter.stopping('stopped by Ctrl-C');
  expect(written.join('').replaceAll('\n', ' ')).toContain(
    'stopped by Ctrl-C, cleaning up debian-13 x86_64 (copy files);',
  );
});
