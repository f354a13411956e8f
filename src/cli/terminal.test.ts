import { expect, test } from 'vitest';
import { canRedraw, marksFor, painter, wantsColor } from './terminal.ts';

const terminal = { write: () => {}, isTTY: true };
const pipe = { write: () => {} };

test.each([
  ['a terminal is coloured', terminal, { TERM: 'xterm' }, true, true],
  ['a pipe is not', pipe, { TERM: 'xterm' }, true, false],
  ['--no-color wins over everything', terminal, { FORCE_COLOR: '1' }, false, false],
  ['NO_COLOR turns it off', terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
  ['an empty NO_COLOR means nothing', terminal, { NO_COLOR: '' }, true, true],
  ['FORCE_COLOR colours a pipe', pipe, { FORCE_COLOR: '1' }, true, true],
  ['FORCE_COLOR=0 turns it off', terminal, { FORCE_COLOR: '0' }, true, false],
  ['a dumb terminal has no colours', terminal, { TERM: 'dumb' }, true, false],
] as const)('%s', (_name, out, env, flag, colored) => {
  expect(wantsColor(out, env, flag)).toBe(colored);
});

test('only a capable terminal is redrawn', () => {
  expect(canRedraw(terminal, { TERM: 'xterm' })).toBe(true);
  expect(canRedraw(terminal, { TERM: 'dumb' })).toBe(false);
  expect(canRedraw(terminal, {})).toBe(false);
  expect(canRedraw(pipe, { TERM: 'xterm', FORCE_COLOR: '1' })).toBe(false);
});

test('marks keep to ASCII where the locale does', () => {
  expect(marksFor({ LANG: 'C' }).done).toBe('+');
  expect(marksFor({ LANG: 'de_DE.UTF-8' }).done).toBe('✓');
  expect(marksFor({ LANG: 'de_DE.UTF-8', LC_ALL: 'POSIX' }).done).toBe('+');
});

test('without colours the text stays as it is', () => {
  expect(painter(false)('red', 'x')).toBe('x');
  expect(painter(true)('red', 'x')).toBe('\u001b[31mx\u001b[39m');
});
