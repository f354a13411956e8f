import { expect, test } from 'vitest';
import { kernelCmdline, kernelCmdlineScript } from './kernel-cmdline.ts';

test('words are arguments of the script, never part of its text', () => {
  const { text, args } = kernelCmdlineScript({ add: ['console=ttyS0,115200n8', 'a[b]*'], remove: ['quiet'] }, 'tree');
  expect(args).toEqual(['console=ttyS0,115200n8 a[b]*', 'quiet', 'tree']);
  expect(text).toBe(kernelCmdlineScript({ add: ['x'], remove: [] }, 'tree').text);
});

test('only a guest has a boot loader that is told now', () => {
  const script = (bench: 'tree' | 'guest') => kernelCmdlineScript({ add: ['x'], remove: [] }, bench).text;
  expect(script('guest')).toContain('grubby --update-kernel=ALL');
  expect(script('tree')).not.toContain('grubby');
});

test('a list is what to add', () => {
  expect(kernelCmdline.options.parse(['panic=30'])).toEqual({ add: ['panic=30'], remove: [] });
});

test.each([
  [[]],
  [{}],
  [['']],
  [['two words']],
  [['new\nline']],
  [['a"b']],
  [["a'b"]],
  [['a$b']],
  [['a`b`']],
  [['a\\b']],
  [{ add: ['a'], remove: ['a'] }],
  ['quiet'],
])('%j is refused', (written) => {
  expect(kernelCmdline.options.safeParse(written).success).toBe(false);
});

test('the title names the words', () => {
  expect(kernelCmdline.title({ add: ['a', 'b=1'], remove: ['c'] })).toBe('add a b=1, remove c (kernel command line)');
});
