import { expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { layout, lockOf, nothing, planned } from '../../test/support/plans.ts';
import type { Plan } from '../core/plan.ts';
import { boundaryBefore, stepNumber } from './pick-step.ts';
import { planImage } from './plan.ts';

const plan = planImage(planned, lockOf(planned), nothing, fakeKinds, layout);
const ids = (name: string, of: Plan = plan) => boundaryBefore(of, name).before.map(({ id }) => id);

test.each([
  ['1', '1-packages', 0, ['source']],
  ['3', '3-shell', 2, ['source', '1-packages', '2-shell']],
  ['3-shell', '3-shell', 2, ['source', '1-packages', '2-shell']],
  ['5', 'seal', 4, ['source', '1-packages', '2-shell', '3-shell', '4-copy']],
  ['seal', 'seal', 4, ['source', '1-packages', '2-shell', '3-shell', '4-copy']],
])('%s is the place before %s', (name, id, count, before) => {
  expect(boundaryBefore(plan, name)).toMatchObject({ id, count, bench: 'tree' });
  expect(ids(name)).toEqual(before);
});

test.each(['0', '6', '03', '3-copy', 'shell', '-1', ''])('%j is no step, and those there are are told', (name) => {
  expect(() => boundaryBefore(plan, name)).toThrow(
    expect.objectContaining({ code: 'USAGE', detail: expect.arrayContaining(['3-shell: run a script', 'seal']) }),
  );
});

test('before the source there is nothing', () => {
  expect(() => boundaryBefore(plan, 'source')).toThrow('before the source of a there is nothing to log in to');
});

const [tree] = plan.stages;
const [source, first, second] = tree?.steps ?? [];
if (source === undefined || first === undefined || second === undefined) throw new Error('the plan has steps');
const disk = { ...second, id: 'disk', title: 'disk', bench: 'guest' as const };
const mixed: Plan = {
  ...plan,
  stages: [
    { bench: 'tree', steps: [source, first] },
    { bench: 'guest', steps: [disk, { ...second, bench: 'guest' }] },
  ],
};

test('the place before the disk is still a tree, and the disk is no step of the image', () => {
  expect(boundaryBefore(mixed, 'disk')).toMatchObject({ bench: 'tree', count: 1 });
  expect(boundaryBefore(mixed, '2')).toMatchObject({ bench: 'guest', count: 1, id: '2-shell' });
  expect(ids('2', mixed)).toEqual(['source', '1-packages', 'disk']);
  expect(boundaryBefore(mixed, '3')).toMatchObject({ bench: 'guest', count: 2, id: 'seal' });
});

test('the source and the disk have no number', () => {
  expect(mixed.stages.flatMap(({ steps }) => steps.map(stepNumber))).toEqual([undefined, 1, undefined, 2]);
});
