import { expect, test } from 'vitest';
import { changes } from './changes.ts';

test('what is new, gone or other is told, sorted by name; what is the same is not', () => {
  const from = new Map([
    ['vim', '9.0'],
    ['nano', '8'],
    ['bash', '5'],
  ]);
  const to = new Map([
    ['vim', '9.1'],
    ['curl', '8'],
    ['bash', '5'],
  ]);
  expect(changes(from, to)).toEqual([
    { name: 'curl', to: '8' },
    { name: 'nano', from: '8' },
    { name: 'vim', from: '9.0', to: '9.1' },
  ]);
});
