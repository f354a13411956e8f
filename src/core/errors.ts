/** Where in a file a problem stands. Line and column count from 1. */
export type Place = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The source line itself, for the caret; absent when the file is not text. */
  readonly source?: string;
};

/** Every expected failure has one of these codes; each maps to one exit code, never renumbered. */
export const exitCodes = {
  STEP_FAILED: 1,
  TOOL_FAILED: 1,
  NOT_FOUND: 1,
  BUSY: 1,
  USAGE: 2,
  SPEC_INVALID: 2,
  INPUT_REFUSED: 3,
  AUTH: 4,
  TOOL_MISSING: 5,
  HOST_UNFIT: 5,
  NO_SPACE: 5,
  CHECK_FAILED: 6,
  PARTIAL: 7,
  INTERNAL: 70,
  TIMEOUT: 124,
  HANGUP: 129,
  CANCELLED: 130,
  TERMINATED: 143,
} as const;

export type ErrorCode = keyof typeof exitCodes;

export type ErrorFields = {
  readonly code: ErrorCode;
  /** The cause in plain words, one line, no trailing full stop. */
  readonly message: string;
  readonly place?: Place;
  /** What to do next, one line. */
  readonly hint?: string;
  /** Supporting lines, at most about 25: the last output of a tool, the command, a log's path. */
  readonly detail?: readonly string[];
  readonly cause?: unknown;
};

/** An expected failure: printed without a stack. Anything else that is thrown is our bug (exit 70). */
export class IngotError extends Error {
  override readonly name = 'IngotError';
  readonly code: ErrorCode;
  readonly place: Place | undefined;
  readonly hint: string | undefined;
  readonly detail: readonly string[];

  constructor(fields: ErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.place = fields.place;
    this.hint = fields.hint;
    this.detail = fields.detail ?? [];
  }
}

/** One mistake in a file: `error: MESSAGE` at its place, with what was expected or the nearest name. */
export type Problem = { readonly message: string; readonly place: Place; readonly hint?: string };

/** All mistakes of all files, together. */
export class SpecError extends IngotError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const many = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super({ code: 'SPEC_INVALID', message: `${many} in the project's files` });
    this.problems = problems;
  }
}
