import { setTimeout } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { IngotError } from '../core/errors.ts';
import { guardedLookup, redirectTarget, retryAfterMs, shownUrl } from './fetch-rules.ts';

/** How patient a download is. */
export type Pace = {
  /** A connection that brings less than 1 KiB in this time is given up. */
  readonly stallMs: number;
  /** The first pause before trying again; doubled each time, plus chance. */
  readonly backoffMs: number;
  /** Tries without progress, after the first. */
  readonly retries: number;
};

export const usualPace: Pace = { stallMs: 30_000, backoffMs: 500, retries: 5 };
const longestPauseMs = 120_000;

/** A failure that trying again may cure. */
export class PassingError extends Error {
  readonly waitMs: number | undefined;

  constructor(message: string, waitMs?: number) {
    super(message);
    this.waitMs = waitMs;
  }
}

/** Connections for one address; proxies are taken from the environment. */
export async function openDispatcher(url: URL, pace: Pace): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = await import('undici');
  return new EnvHttpProxyAgent({
    connect: { lookup: guardedLookup(url.hostname), timeout: pace.stallMs },
    // The stall timer below watches both.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

const mostRedirects = 10;

/** Ask for an address, and follow redirects that may be followed; `own` is told to the first server only. */
export async function follow(
  from: { readonly url: URL; readonly dispatcher: Dispatcher; readonly own?: Readonly<Record<string, string>> },
  more: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const { request } = await import('undici');
  let { url } = from;
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const own = url.origin === from.url.origin ? from.own : {};
    const headers = { ...own, 'accept-encoding': 'identity', 'user-agent': 'ingot', ...more };
    const response = await request(url, { dispatcher: from.dispatcher, headers, signal });
    if (![301, 302, 303, 307, 308].includes(response.statusCode)) return response;
    await response.body.dump().catch(() => undefined);
    url = redirectTarget(url, oneOf(response.headers['location']), from.url);
  }
  throw new IngotError({
    code: 'TOOL_FAILED',
    message: `${shownUrl(from.url)} redirects more than ${mostRedirects} times`,
  });
}

/** What an answer without bytes means. */
export function failedStatus(url: URL, response: Dispatcher.ResponseData): Error {
  const { statusCode: status, headers } = response;
  // Of some, such as GitHub, 403 also means: later.
  const isLater = status === 403 && headers['retry-after'] !== undefined;
  if (status === 408 || status === 429 || status >= 500 || isLater) {
    return new PassingError(`the server answered ${status}`, retryAfterMs(oneOf(headers['retry-after']), Date.now()));
  }
  const shown = shownUrl(url);
  if (status === 404 || status === 410) {
    return new IngotError({ code: 'NOT_FOUND', message: `${shown} is not there (HTTP ${status})` });
  }
  if (status === 401 || status === 403 || status === 407) {
    return new IngotError({ code: 'AUTH', message: `${shown} may not be read (HTTP ${status})` });
  }
  return new IngotError({ code: 'TOOL_FAILED', message: `${shown} cannot be downloaded (HTTP ${status})` });
}

export function oneOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

const leastBytes = 1024;

/** A signal that fires when too few bytes were seen for a while. */
export function watchStall(stallMs: number) {
  const controller = new AbortController();
  let seen = 0;
  const timer = setInterval(() => {
    if (seen < leastBytes) controller.abort();
    seen = 0;
  }, stallMs);
  return {
    signal: controller.signal,
    saw: (bytes: number) => {
      seen += bytes;
    },
    stop: () => clearInterval(timer),
  };
}

/** Wait before trying again, never longer than two minutes. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(Math.min(milliseconds, longestPauseMs), undefined, { signal }).catch(() => signal.throwIfAborted());
}
