import { type ErrorCode, exitCodes } from '../core/errors.ts';
import type { ErrorRecord, Outcome } from '../core/events.ts';
import { exitCodeOf } from './error-text.ts';

type Ended = { readonly outcome: Outcome; readonly error?: ErrorRecord };

/** One exit code for several ends: the stop if there was one, 0 if all are well, 7 if only some are. */
export function exitCodeOfAll(ends: readonly Ended[], signal: AbortSignal): number {
  const bad = ends.filter((end) => !isGood(end.outcome));
  const first = bad[0];
  if (first === undefined) return 0;
  if (signal.aborted) return exitCodeOf(reasonCode(signal.reason));
  return bad.length < ends.length ? exitCodes.PARTIAL : exitCodeOf(first.error?.code ?? 'STEP_FAILED');
}

/** Whether an end leaves a result that can be used. */
export function isGood(outcome: Outcome): boolean {
  return outcome === 'done' || outcome === 'cached';
}

function reasonCode(reason: unknown): ErrorCode {
  const code = reason instanceof Error && 'code' in reason ? String(reason.code) : '';
  return code in exitCodes ? (code as ErrorCode) : 'INTERNAL';
}
