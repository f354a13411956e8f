import type { Answer } from '../host/listen.ts';

/** An answer of one line. */
export function refusal(status: number, why: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = `${status}: ${why}\n`;
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'x-content-type-options': 'nosniff',
      ...headers,
    },
    body,
  };
}
