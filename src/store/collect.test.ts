import { expect, test } from 'vitest';
import { type Collectable, chooseOld } from './collect.ts';

function entry(name: string, usedMs: number, bytes: number): Collectable {
  return { what: 'layer', name, path: `/l/${name}`, bytes, usedMs };
}

const all = [entry('a', 100, 10), entry('b', 200, 20), entry('c', 300, 30)];
const names = (list: readonly Collectable[]) => list.map(({ name }) => name);

test('without limits nothing goes', () => {
  expect(chooseOld(all, {})).toEqual([]);
});

test('what was not used since a moment goes', () => {
  expect(names(chooseOld(all, { usedBeforeMs: 300 }))).toEqual(['a', 'b']);
});

test('the longest unused goes until few enough bytes are left', () => {
  expect(names(chooseOld(all, { keepBytes: 50 }))).toEqual(['a']);
  expect(names(chooseOld(all, { keepBytes: 49 }))).toEqual(['a', 'b']);
  expect(names(chooseOld(all, { keepBytes: 0 }))).toEqual(['a', 'b', 'c']);
});

test('with both limits, either is reason enough', () => {
  expect(names(chooseOld(all, { usedBeforeMs: 150, keepBytes: 40 }))).toEqual(['a', 'b']);
});
