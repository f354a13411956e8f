import { IngotError } from '../core/errors.ts';
import { passingFault, retryAfterMs } from './fetch-rules.ts';

/** What to do about a request to GitHub's API that failed. */
export type Verdict =
  /** Ask again after so long, as GitHub says; it is not a failure. */
  | { readonly kind: 'wait'; readonly milliseconds: number; readonly why: string }
  /** Something on the way broke: ask again, but not for ever. */
  | { readonly kind: 'again'; readonly why: string }
  | { readonly kind: 'taken' }
  | { readonly kind: 'lasting'; readonly error: IngotError };

/** A failure of our own that may pass. */
export class PassingFault extends Error {}

/** What an error of the client looks like. */
type Failed = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | undefined>> | undefined;
  readonly message: string;
  readonly codes: readonly string[];
  readonly cause: unknown;
};

/** GitHub asks to wait a minute where it names no time ("Rate limits for the REST API"). */
const minuteMs = 60_000;

/** What a failed request means; `what`: what was wanted, in words. Errors never hold the request, which holds the token. */
export function verdictOf(error: unknown, what: string, nowMs: number): Verdict {
  if (error instanceof PassingFault) return { kind: 'again', why: error.message };
  const failed = failedOf(error);
  if (failed === undefined) {
    const why = passingFault(error);
    return why === undefined ? { kind: 'lasting', error: asIngot(error, what) } : { kind: 'again', why };
  }
  const { status, headers } = failed;
  if (headers === undefined) {
    const why = passingFault(failed.cause);
    if (why !== undefined) return { kind: 'again', why };
    return { kind: 'lasting', error: failure('TOOL_FAILED', `${what}: ${plain(failed.message)}`) };
  }
  const limit = limitOf(failed, headers, nowMs);
  if (limit !== undefined) return limit;
  if (status === 408 || status >= 500) return { kind: 'again', why: `GitHub answered ${status}` };
  if (status === 422 && failed.codes.includes('already_exists')) return { kind: 'taken' };
  return { kind: 'lasting', error: refusal(failed, what) };
}

function limitOf(failed: Failed, headers: NonNullable<Failed['headers']>, nowMs: number): Verdict | undefined {
  const { status, message } = failed;
  if (status !== 403 && status !== 429) return undefined;
  const after = retryAfterMs(textOf(headers['retry-after']), nowMs);
  const why = 'the limit on requests to GitHub is reached';
  if (after !== undefined) return { kind: 'wait', milliseconds: after, why };
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN) * 1000;
  if (textOf(headers['x-ratelimit-remaining']) === '0' && !Number.isNaN(reset)) {
    // Clocks differ by a little; a second too early would be refused once more.
    return { kind: 'wait', milliseconds: Math.max(0, reset - nowMs) + 1000, why };
  }
  const isLimit = status === 429 || /rate limit|abuse/i.test(message);
  return isLimit ? { kind: 'wait', milliseconds: minuteMs, why } : undefined;
}

function refusal({ status, message }: Failed, what: string): IngotError {
  const told = plain(message);
  if (status === 401) {
    const hint = 'set GITHUB_TOKEN to one that is valid and not expired';
    return failure('AUTH', `${what}: GitHub does not take the token (HTTP 401)`, hint, told);
  }
  if (status === 403) {
    const hint = 'the token needs the right to write to the contents of this repository';
    return failure('AUTH', `${what}: GitHub forbids it (HTTP 403)`, hint, told);
  }
  if (status === 404) {
    const hint = 'look at the name of the repository; a private one is only found with a token that may see it';
    return failure('NOT_FOUND', `${what}: GitHub knows nothing of it (HTTP 404)`, hint, told);
  }
  return failure('TOOL_FAILED', `${what}: GitHub answered ${status}`, undefined, told);
}

function failure(code: IngotError['code'], message: string, hint?: string, told?: string): IngotError {
  return new IngotError({
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(told === undefined ? {} : { detail: [told] }),
  });
}

function asIngot(error: unknown, what: string): IngotError {
  if (error instanceof IngotError) return error;
  const { message } = error instanceof Error ? error : { message: String(error) };
  return new IngotError({ code: 'TOOL_FAILED', message: `${what}: ${plain(message)}`, cause: error });
}

function plain(message: string): string {
  return message.replaceAll(/\s+/g, ' ').slice(0, 300);
}

function failedOf(error: unknown): Failed | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  const { status, message, cause } = error;
  const response =
    'response' in error ? (error.response as { headers?: Failed['headers']; data?: unknown }) : undefined;
  return { status, message, cause, headers: response?.headers, codes: codesOf(response?.data) };
}

function codesOf(data: unknown): readonly string[] {
  if (typeof data !== 'object' || data === null || !('errors' in data) || !Array.isArray(data.errors)) return [];
  return (data.errors as readonly unknown[]).flatMap((one) =>
    typeof one === 'object' && one !== null && 'code' in one ? [String(one.code)] : [],
  );
}

function textOf(header: string | number | undefined): string | undefined {
  return header === undefined ? undefined : String(header);
}
