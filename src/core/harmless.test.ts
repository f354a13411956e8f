import { expect, test } from 'vitest';
import { harmless } from './harmless.ts';

test('colours are dropped and other control characters are shown, never sent', () => {
  expect(harmless('\u001b[=3h\u001b[1;31mred\u001b[0m \u001b]0;title\u0007 \r \u009b2J')).toBe(
    'red \\x1b]0;title\\x07 \\x0d \\x9b2J',
  );
});

test('tabs, newlines and letters of any language stay', () => {
  expect(harmless('a\tb\nçé漢')).toBe('a\tb\nçé漢');
});
