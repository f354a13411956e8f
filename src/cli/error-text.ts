import { type ErrorCode, exitCodes, IngotError, type Place, type Problem, SpecError } from '../core/errors.ts';
import type { ErrorRecord } from '../core/events.ts';
import { explainDenied } from '../core/permission.ts';
import { formatProblem, formatProblems } from '../spec/format-problem.ts';
import type { Paint } from './terminal.ts';
import { oneLine } from './text.ts';

/** An error as `--json` gives it. */
export type ErrorJson = ErrorRecord & { readonly place?: Place; readonly problems?: readonly Problem[] };

/** Any error as data; what is not an IngotError is our bug. */
export function errorJson(thrown: unknown): ErrorJson {
  const error = explainDenied(thrown);
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

export type ErrorView = { readonly paint: Paint; readonly color: boolean; readonly cwd: string };

/** An error for people: the problems of the files, then cause, place, supporting lines, and the next step last. */
export function errorLines(error: ErrorJson, view: ErrorView): readonly string[] {
  const { paint } = view;
  const problems = error.problems === undefined ? [] : [formatProblems(error.problems, view), ''];
  const head = formatProblem({ message: error.message, place: error.place }, view);
  return [
    ...problems,
    head.replace('error', `error[${error.code}]`),
    ...(error.detail ?? []).map((line) => `  ${oneLine(line)}`),
    ...(error.hint === undefined ? [] : [`${paint('cyan', 'next:')} ${oneLine(error.hint)}`]),
  ].flatMap((text) => text.split('\n'));
}

/** The exit code of a failure. */
export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[code];
}

function bugFields(error: unknown): Omit<ErrorJson, 'code'> {
  const stack = error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 13) : [];
  return {
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    detail: stack.map((line) => line.trim()),
    hint: 'this is a bug in Ingot: please report it with these lines, the command and the output of `ingot doctor`',
  };
}
