import type { Place } from '../core/errors.ts';

/** A problem, or an error with or without a place. */
export type Told = {
  readonly message: string;
  readonly place?: Place | undefined;
  readonly hint?: string | undefined;
};

export type FormatOptions = {
  readonly color?: boolean;
  /** Paths below this folder are shown relative to it. */
  readonly cwd?: string;
};

const widest = 100;

/** Each problem as `error: ...` with its place, source line, caret and hint; a blank line between two. */
export function formatProblems(problems: readonly Told[], options: FormatOptions = {}): string {
  return problems.map((problem) => formatProblem(problem, options)).join('\n\n');
}

/** One problem, at most seven lines; nothing in it can steer a terminal. */
export function formatProblem(problem: Told, options: FormatOptions = {}): string {
  const paint = painter(options.color === true);
  const lines = [`${paint.red('error')}: ${paint.bold(harmless(problem.message))}`];
  if (problem.place !== undefined) lines.push(...formatPlace(problem.place, options.cwd, paint));
  if (problem.hint !== undefined) lines.push(`  ${paint.blue('=')} ${harmless(problem.hint)}`);
  return lines.join('\n');
}

function formatPlace(place: Place, cwd: string | undefined, paint: Painter): readonly string[] {
  const file = cwd !== undefined && place.file.startsWith(`${cwd}/`) ? place.file.slice(cwd.length + 1) : place.file;
  const head = `  ${paint.blue('-->')} ${harmless(file)}:${place.line}:${place.column}`;
  if (place.source === undefined) return [head];
  const number = String(place.line);
  const gutter = ' '.repeat(number.length);
  const { text, caret } = cut(place.source, place.column - 1);
  return [
    head,
    `  ${gutter} ${paint.blue('|')}`,
    `  ${paint.blue(`${number} |`)} ${text}`.trimEnd(),
    `  ${gutter} ${paint.blue('|')} ${' '.repeat(caret)}${paint.red('^')}`,
  ];
}

/** The part of a long line around the caret, one column for each character. */
function cut(source: string, column: number): { readonly text: string; readonly caret: number } {
  const line = [...harmless(source)];
  const before = [...source.slice(0, column)].length;
  const start = before < widest - 20 ? 0 : before - widest / 2;
  const end = start + widest;
  const [left, right] = [start > 0 ? '...' : '', end < line.length ? '...' : ''];
  return { text: `${left}${line.slice(start, end).join('')}${right}`, caret: left.length + before - start };
}

/** Control and direction characters made visible, so that a file cannot write to the terminal. */
function harmless(text: string): string {
  return text.replaceAll('\t', ' ').replaceAll(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '\u{fffd}');
}

type Paint = (text: string) => string;
type Painter = { readonly red: Paint; readonly blue: Paint; readonly bold: Paint };

function painter(color: boolean): Painter {
  const sgr =
    (code: string): Paint =>
    (text) =>
      color ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { red: sgr('1;31'), blue: sgr('1;34'), bold: sgr('1') };
}
