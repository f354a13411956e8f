import { expect, test } from 'vitest';
import { insertIso } from './insert-iso.ts';

const entry = { distribution: 'debian', arch: 'x86_64', file: 'isos/a.iso' };
const block = 'b:\n  distribution: debian\n  arch: x86_64\n  file: isos/a.iso\n';

test.each<[string, string, string, number]>([
  ['an empty file', '', block, 1],
  ['comments alone', '# ours\n', `# ours\n\n${block}`, 3],
  ['entries with comments', 'a: { file: x } # kept\n# last\n', `a: { file: x } # kept\n# last\n\n${block}`, 4],
  ['an empty line at the end', 'a: 1\n\n', `a: 1\n\n${block}`, 3],
  ['no newline at the end', 'a: 1', `a: 1\n\n${block}`, 3],
  ['lines of Windows', 'a: 1\r\n', `a: 1\r\n\r\n${block.replaceAll('\n', '\r\n')}`, 3],
])('%s: every byte stays, and the entry stands behind them', (_, text, expected, line) => {
  expect(insertIso(text, 'b', entry)).toEqual({ text: expected, line });
});

test.each([
  ['a map between braces', '{ a: 1 }\n'],
  ['a list', '- a\n'],
  ['a second document', 'a: 1\n---\nc: 1\n'],
  ['the end of a document', 'a: 1\n...\n'],
  ['a file that cannot be read', 'a: [\n'],
  ['an entry of that name', 'b: 1\n'],
])('%s is left alone', (_, text) => {
  expect(insertIso(text, 'b', entry)).toBeUndefined();
});
