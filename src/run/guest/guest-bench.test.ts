import { expect, test } from 'vitest';
import { ownerOf } from './guest-bench.ts';

test('only folders of ours have an owner', () => {
  expect(ownerOf('ingot-guests-4711-0123456789ab')).toBe(4711);
  for (const name of ['ingot-guests-4711', 'ingot-guests--0123456789ab', 'x-ingot-guests-1-0123456789ab', 'tmp']) {
    expect(ownerOf(name)).toBeUndefined();
  }
});
