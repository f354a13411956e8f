import { ending, mark } from './report/plain.ts';
import type { CheckOutcome } from './requests/images.ts';
import type { Session } from './session.ts';
import { oneLine, table } from './text.ts';

/** Checks for people: mark, what was proven, how long it took, what was seen. */
export function checkLines(checks: readonly CheckOutcome[], view: Pick<Session, 'paint' | 'marks'>): readonly string[] {
  return table(
    checks.map((check) => [
      mark(view, check.outcome),
      oneLine(check.title),
      view.paint('dim', ending(check.outcome, check.seconds)),
      oneLine(check.error?.message ?? check.evidence ?? ''),
    ]),
    '  ',
  );
}
