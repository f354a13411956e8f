import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { within } from '../core/within.ts';
import type { Console } from './console.ts';

/** Something to wait for: what it is, for the error, and how. It stops when its signal says so. */
export type Wait = {
  readonly what: string;
  readonly run: (signal: AbortSignal) => Promise<unknown>;
  /** What stood in the way until now, for the error. */
  readonly lastSeen?: () => readonly string[];
};

/** A line on the serial console. */
export function forSerial(console: Pick<Console, 'line'>, pattern: RegExp): Wait {
  return { what: `a console line like ${pattern}`, run: (signal) => console.line(pattern, signal) };
}

/** All of these, at once; the first failure is the failure. */
export function all(...waits: readonly Wait[]): Wait {
  return {
    what: waits.map(({ what }) => what).join(' and '),
    lastSeen: () => obstacles(waits),
    run: (signal) => together(signal, (inner) => Promise.all(waits.map(({ run }) => run(inner)))),
  };
}

/** Any of these; the others are given up. */
export function first(...waits: readonly Wait[]): Wait {
  return {
    what: waits.map(({ what }) => what).join(' or '),
    lastSeen: () => obstacles(waits),
    run: (signal) => together(signal, (inner) => Promise.race(waits.map(({ run }) => run(inner)))),
  };
}

function obstacles(waits: readonly Wait[]): readonly string[] {
  return waits.flatMap(({ lastSeen }) => lastSeen?.() ?? []);
}

async function together(outer: AbortSignal, run: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
  const end = new AbortController();
  try {
    return await run(AbortSignal.any([outer, end.signal]));
  } finally {
    end.abort();
  }
}

/** Wait for something, but no longer than that, and not for a guest that is lost. */
export async function until(
  wait: Wait,
  limits: { readonly milliseconds: number; readonly lost: AbortSignal },
  ctx: Pick<Context, 'host' | 'signal'>,
): Promise<void> {
  const signal = AbortSignal.any([ctx.signal, limits.lost]);
  const done = await within(limits.milliseconds, { host: ctx.host, signal }, async (inner) => {
    await wait.run(inner);
    return true;
  });
  if (done !== undefined) return;
  const seconds = Math.round(limits.milliseconds / 1000);
  throw new IngotError({
    code: 'TIMEOUT',
    message: `no ${wait.what} within ${seconds} s`,
    detail: wait.lastSeen?.() ?? [],
  });
}
