import { stripVTControlCharacters } from 'node:util';
import { harmless } from '../core/harmless.ts';

/** `3.4 s`, `1 min 12 s`, `2 h 05 min`. */
export function duration(seconds: number): string {
  if (seconds < 59.5) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `0 B`, `512 B`, `1.5 GB`, `24 MB`: powers of 1000. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${byteUnits[unit]}`;
}

/** `just now`, `12 min ago`, `3 days ago`. */
export function ago(seconds: number): string {
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? 'yesterday' : `${days} days ago`;
}

/** `1 image`, `3 images`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

const unruly = /[\n\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Foreign text on one line that cannot move the cursor, ring, recolour or reorder what is around it. */
export function oneLine(text: string): string {
  return harmless(text).replaceAll('\t', '  ').replace(unruly, escapeOf);
}

function escapeOf(char: string): string {
  const code = char.charCodeAt(0).toString(16);
  return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
}

const combining = /^\p{M}|\u200d|\p{Cf}$/u;
const wide =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Terminal columns of a text; colour codes take none. */
export function width(text: string): number {
  let columns = 0;
  for (const char of stripVTControlCharacters(text)) columns += charWidth(char);
  return columns;
}

function charWidth(char: string): number {
  if (char < '\u0300') return 1;
  if (combining.test(char)) return 0;
  return wide.test(char) ? 2 : 1;
}

/** Plain text cut to so many columns, the last being an ellipsis when something was cut. */
export function clip(text: string, columns: number, ellipsis = '…'): string {
  if (width(text) <= columns) return text;
  let used = ellipsis.length;
  let kept = '';
  for (const char of text) {
    used += charWidth(char);
    if (used > columns) break;
    kept += char;
  }
  return columns < ellipsis.length ? '' : kept + ellipsis;
}

/** A text filled with spaces to so many columns. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}

/** Rows as aligned lines, two spaces between columns, none at the end; cells may hold colour codes. */
export function table(rows: readonly (readonly string[])[], indent = ''): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, width(cell));
    });
  }
  return rows.map((row) => (indent + row.map((cell, column) => pad(cell, widths[column] ?? 0)).join('  ')).trimEnd());
}

/** Words as lines of at most so many columns; a longer word stands alone. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
