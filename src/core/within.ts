import type { Context } from './context.ts';

/**
 * The result of `action`, or undefined when it took longer than that. The action's own signal aborts when it is late
 * or cancelled; no timer is left behind.
 */
export async function within<T>(
  milliseconds: number,
  ctx: Pick<Context, 'host' | 'signal'>,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const end = new AbortController();
  const signal = AbortSignal.any([ctx.signal, end.signal]);
  const late = ctx.host.sleep(milliseconds, signal).then(() => undefined);
  const running = action(signal);
  // Whichever loses the race may still fail, unheard.
  for (const one of [late, running]) one.catch(() => undefined);
  try {
    return await Promise.race([running, late]);
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw error;
  } finally {
    end.abort();
  }
}
