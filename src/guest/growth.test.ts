import { expect, test } from 'vitest';
import { grownBy, grownSize } from './growth.ts';

test('a root file system that kept its size is too small, one that grew is not', () => {
  const gib = 1024 ** 3;
  for (const disk of [2 * gib, 64 * gib]) {
    expect(disk).toBeLessThan(grownSize(disk));
    expect(disk + grownBy - 100 * 1024 ** 2).toBeGreaterThan(grownSize(disk));
  }
});
