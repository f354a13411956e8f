import { IngotError } from '../core/errors.ts';
import type { ErrorRecord } from '../core/events.ts';
import { explainDenied } from '../core/permission.ts';

/** An error as data; what is no IngotError is our bug. */
export function errorRecord(thrown: unknown): ErrorRecord {
  const error = explainDenied(thrown);
  if (!(error instanceof IngotError)) {
    const detail = error instanceof Error && error.stack !== undefined ? { detail: error.stack.split('\n') } : {};
    return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error), ...detail };
  }
  const { code, message, hint, detail } = error;
  return { code, message, ...(hint === undefined ? {} : { hint }), ...(detail.length === 0 ? {} : { detail }) };
}
