import { expect, test } from 'vitest';
import { distance, nearest, suggestion } from './nearest.ts';

test.each([
  ['shell', 'shell', 0],
  ['shel', 'shell', 1],
  ['hsell', 'shell', 1],
  ['debain', 'debian', 1],
  ['firmwares', 'firmware', 1],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
])('%j and %j are %d changes apart', (a, b, expected) => {
  expect(distance(a, b)).toBe(expected);
  expect(distance(b, a)).toBe(expected);
});

test.each([
  ['firmwre', ['firmware', 'formats'], 'firmware'],
  ['QCOW2', ['qcow2', 'raw'], 'qcow2'],
  ['x', ['steps', 'disk'], undefined],
  ['ab', ['cd'], undefined],
  ['x'.repeat(10_000), ['x'.repeat(10_001)], undefined],
])('the name nearest to %s is found, or none', (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});

test('without a near name the known ones are listed, as many as fit a line', () => {
  expect(suggestion('zebra', ['raw', 'qcow2'], 'formats')).toBe('formats: qcow2, raw');
  const many = Array.from({ length: 20 }, (_, i) => `name-${String(i).padStart(2, '0')}`);
  expect(suggestion('zebra', many, 'known')).toMatch(/^known: name-00, .*name-11, \.\.\.$/);
  expect(suggestion('zebra', [])).toBeUndefined();
});
