import { type ErrorCode, exitCodes, IngotError, type Place, type Problem, SpecError } from '../core/errors.ts';
import type { ErrorRecord } from '../core/events.ts';
import type { Paint } from './terminal.ts';
import { harmless, width } from './text.ts';

/** An error as `--json` gives it. */
export type ErrorJson = ErrorRecord & { readonly place?: Place; readonly problems?: readonly Problem[] };

/** Any error as data; what is not an IngotError is our bug. */
export function errorJson(error: unknown): ErrorJson {
  if (!(error instanceof IngotError)) return { code: 'INTERNAL', ...bugFields(error) };
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.detail.length === 0 ? {} : { detail: error.detail }),
    ...(error.place === undefined ? {} : { place: error.place }),
    ...(error instanceof SpecError ? { problems: error.problems } : {}),
  };
}

/** An error for people: cause, place with a caret, supporting lines, and the next step last. */
export function errorLines(error: ErrorJson, paint: Paint): readonly string[] {
  return [
    ...(error.problems ?? []).flatMap((problem) => problemLines(problem, paint)),
    `${paint('red', `error[${error.code}]:`)} ${paint('bold', harmless(error.message))}`,
    ...(error.place === undefined ? [] : placeLines(error.place, paint)),
    ...(error.detail ?? []).map((line) => `  ${harmless(line)}`),
    ...(error.hint === undefined ? [] : [`${paint('cyan', 'next:')} ${harmless(error.hint)}`]),
  ];
}

/** The exit code of a failure. */
export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[code];
}

function problemLines(problem: Problem, paint: Paint): readonly string[] {
  const { file, line, column } = problem.place;
  return [
    `${paint('bold', `${harmless(file)}:${line}:${column}:`)} ${paint('red', 'error:')} ${harmless(problem.message)}`,
    ...sourceLines(problem.place, paint),
    ...(problem.hint === undefined ? [] : [`  ${paint('cyan', harmless(problem.hint))}`]),
    '',
  ];
}

function placeLines(place: Place, paint: Paint): readonly string[] {
  return [`  at ${harmless(place.file)}:${place.line}:${place.column}`, ...sourceLines(place, paint)];
}

const sourceColumns = 100;

function sourceLines(place: Place, paint: Paint): readonly string[] {
  if (place.source === undefined) return [];
  const start = Math.max(0, place.column - 1 - sourceColumns / 2);
  const gutter = String(place.line);
  const shown = harmless(place.source.slice(start, start + sourceColumns));
  const before = width(harmless(place.source.slice(start, place.column - 1)));
  return [
    `  ${paint('blue', `${gutter} |`)} ${shown}`,
    `  ${paint('blue', `${' '.repeat(gutter.length)} |`)} ${' '.repeat(before)}${paint('red', '^')}`,
  ];
}

function bugFields(error: unknown): Omit<ErrorJson, 'code'> {
  const stack = error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 13) : [];
  return {
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    detail: stack.map((line) => line.trim()),
    hint: 'this is a bug in Ingot: please report it with these lines, the command and the output of `ingot doctor`',
  };
}
