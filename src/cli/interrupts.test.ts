import { expect, test } from 'vitest';
import { IngotError } from '../core/errors.ts';
import { createInterrupts } from './interrupts.ts';

function setUp() {
  const exits: number[] = [];
  const told: string[] = [];
  const clock = { ms: 0 };
  const interrupts = createInterrupts({
    now: () => clock.ms,
    exit: (code) => exits.push(code),
    onStop: (why) => told.push(why),
  });
  return { exits, told, clock, interrupts };
}

test.each([
  ['SIGINT', 'CANCELLED', 130],
  ['SIGTERM', 'TERMINATED', 143],
  ['SIGHUP', 'HANGUP', 129],
] as const)('the first %s asks to stop, a later one ends at once', (name, code, exit) => {
  const { exits, told, clock, interrupts } = setUp();
  interrupts.deliver(name);
  expect(interrupts.signal.reason).toBeInstanceOf(IngotError);
  expect(interrupts.signal.reason).toMatchObject({ code });
  expect([told.length, exits]).toEqual([1, []]);
  clock.ms = 300;
  interrupts.deliver(name);
  expect([told.length, exits]).toEqual([1, [exit]]);
});

test('a signal that is delivered twice at once is one wish', () => {
  const { exits, clock, interrupts } = setUp();
  interrupts.deliver('SIGTERM');
  clock.ms = 5;
  interrupts.deliver('SIGTERM');
  expect(exits).toEqual([]);
});

test('Ctrl-C belongs to an interactive program while it runs; SIGTERM does not', async () => {
  const { interrupts } = setUp();
  await interrupts.hold(async () => {
    interrupts.deliver('SIGINT');
    expect(interrupts.signal.aborted).toBe(false);
    interrupts.deliver('SIGTERM');
  });
  expect(interrupts.signal.reason).toMatchObject({ code: 'TERMINATED' });
});
