import { expect, test } from 'vitest';
import { formatProblem, formatProblems } from './format-problem.ts';

const place = { file: '/p/images/a.yaml', line: 12, column: 9, source: 'disk: \t8X' };

test('a problem shows its place, the source line with a caret, and the hint', () => {
  const told = formatProblem({ message: 'disk: expected a size', place, hint: 'like 8G' }, { cwd: '/p' });
  expect(told.split('\n')).toEqual([
    'error: disk: expected a size',
    '  --> images/a.yaml:12:9',
    '     |',
    '  12 | disk:  8X',
    '     |         ^',
    '  = like 8G',
  ]);
});

test('without a source line or place there is less to show', () => {
  const { source: _, ...bare } = place;
  expect(formatProblem({ message: 'no text', place: bare })).toBe('error: no text\n  --> /p/images/a.yaml:12:9');
  expect(formatProblems([{ message: 'one' }, { message: 'two', hint: 'do' }])).toBe('error: one\n\nerror: two\n  = do');
});

test('nothing of a file reaches the terminal as a control sequence', () => {
  const evil = '\u001b[2J\u0007\u202e\u0085x\r\ny';
  const told = formatProblem({ message: evil, hint: evil, place: { ...place, file: `/p/${evil}`, source: evil } });
  expect(told).not.toMatch(/[\u001b\u0007\u202e\u0085\r]/);
  expect(told.split('\n')).toHaveLength(6);
});

test('a long line is cut around its caret', () => {
  const source = `${'a'.repeat(300)}!${'b'.repeat(300)}`;
  const lines = formatProblem({ message: 'm', place: { ...place, column: 301, source } }).split('\n');
  const [, , , text = '', caret = ''] = lines;
  expect(text.length).toBeLessThan(120);
  expect(text.charAt(caret.indexOf('^'))).toBe('!');
});

test('characters of two code units move the caret by one', () => {
  const source = '\u{1f600}\u{1f600} x';
  const [, , , text = '', caret = ''] = formatProblem({ message: 'm', place: { ...place, column: 6, source } }).split(
    '\n',
  );
  expect([...text][[...caret].indexOf('^')]).toBe('x');
});

test('colour is only there when asked for', () => {
  expect(formatProblem({ message: 'm', place, hint: 'h' })).not.toContain('\u001b');
  expect(formatProblem({ message: 'm', place, hint: 'h' }, { color: true })).toContain('\u001b[1;31merror\u001b[0m');
});
