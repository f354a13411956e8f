import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchSteps } from './match.ts';

type Step = readonly [kind: string, input: string];

function match(now: readonly Step[], before: readonly Step[]) {
  const as = (steps: readonly Step[]) =>
    steps.map(([kind, a], i) => ({ id: `${i + 1}-${kind}`, inputs: { a }, key: `${kind} ${a}`, seconds: i }));
  const { old, gone } = matchSteps(as(now), as(before));
  return [old.map((step) => step?.key ?? 'new'), gone.map((step) => step.key)];
}

test.each<[readonly Step[], readonly Step[], string[], string[]]>([
  [[['sh', '1']], [['sh', '1']], ['sh 1'], []],
  [[['sh', '2']], [['sh', '1']], ['sh 1'], []],
  [[['cp', '1']], [['sh', '1']], ['new'], ['sh 1']],
  [
    [
      ['sh', '0'],
      ['sh', '1'],
    ],
    [['sh', '1']],
    ['new', 'sh 1'],
    [],
  ],
  [
    [
      ['sh', '1'],
      ['sh', '3'],
    ],
    [
      ['sh', '1'],
      ['sh', '2'],
      ['sh', '3'],
    ],
    ['sh 1', 'sh 3'],
    ['sh 2'],
  ],
  [
    [
      ['sh', '2'],
      ['sh', '1'],
    ],
    [
      ['sh', '1'],
      ['sh', '2'],
    ],
    ['new', 'sh 1'],
    ['sh 2'],
  ],
  [
    [
      ['sh', '1'],
      ['cp', 'x'],
      ['sh', '9'],
    ],
    [
      ['sh', '1'],
      ['cp', 'y'],
      ['sh', '9'],
    ],
    ['sh 1', 'cp y', 'sh 9'],
    [],
  ],
  [[], [['sh', '1']], [], ['sh 1']],
])('%j after %j continues %j and has lost %j', (now, before, old, gone) => {
  expect(match(now, before)).toEqual([old, gone]);
});

test('no earlier step is continued twice, and order is kept', () => {
  const step = fc.tuple(fc.constantFrom('sh', 'cp'), fc.constantFrom('1', '2', '3'));
  const list = fc.array(step, { maxLength: 8 });
  fc.assert(
    fc.property(list, list, (now, before) => {
      const as = (steps: readonly Step[]) =>
        steps.map(([kind, a], i) => ({ id: `${i}-${kind}`, inputs: { a }, key: '', seconds: i }));
      const { old, gone } = matchSteps(as(now), as(before));
      const positions = old.flatMap((one) => (one === undefined ? [] : [one.seconds]));
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
      expect(positions.length + gone.length).toBe(before.length);
      expect(old).toHaveLength(now.length);
    }),
  );
});
