import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partsOf, usualPartBytes } from './parts.ts';

test('a file that fits stays whole', () => {
  expect(partsOf('a', usualPartBytes, usualPartBytes)).toEqual([{ name: 'a', offset: 0, bytes: usualPartBytes }]);
  expect(partsOf('a', 0, 1)).toEqual([{ name: 'a', offset: 0, bytes: 0 }]);
});

test('a larger one is split into parts that sort in their order', () => {
  expect(partsOf('a', 5, 2)).toEqual([
    { name: 'a.part00', offset: 0, bytes: 2 },
    { name: 'a.part01', offset: 2, bytes: 2 },
    { name: 'a.part02', offset: 4, bytes: 1 },
  ]);
  expect(
    partsOf('a', 101, 1)
      .map(({ name }) => name)
      .slice(98),
  ).toEqual(['a.part098', 'a.part099', 'a.part100']);
});

test('parts follow each other without a gap, and none is too large or empty', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 700 }), (bytes, most) => {
      const parts = partsOf('a', bytes, most);
      let at = 0;
      for (const part of parts) {
        expect(part.offset).toBe(at);
        expect(part.bytes).toBeGreaterThan(0);
        expect(part.bytes).toBeLessThanOrEqual(most);
        at += part.bytes;
      }
      expect(at).toBe(bytes);
      expect(parts.map(({ name }) => name)).toEqual(parts.map(({ name }) => name).toSorted());
    }),
  );
});
