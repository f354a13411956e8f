import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { within } from '../../core/within.ts';
import { stretchOf } from '../../qemu/accelerator.ts';
import type { Accelerator } from '../../qemu/argv.ts';

const pollMs = 5_000;

/** Resolves when it aborts. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** What comes first of these, or an error when none came in time. */
export async function limited(
  milliseconds: number,
  ends: readonly Promise<unknown>[],
  ctx: Pick<Context, 'host' | 'signal'>,
): Promise<unknown> {
  const end = await within(milliseconds, ctx, async () => ({ end: await Promise.race(ends) }));
  if (end !== undefined) return end.end;
  const minutes = Math.round(milliseconds / 60_000);
  return new IngotError({
    code: 'TIMEOUT',
    message: `the installation took longer than its time limit of ${minutes < 1 ? `${milliseconds / 1000} s` : `${minutes} min`}`,
    hint: 'raise `time-limit`',
  });
}

/** How long an installer may be silent: what is translated on a busy machine may be so for long while it works. */
export function usualSilence(accelerator: Accelerator): number {
  return 5 * 60_000 * stretchOf(accelerator);
}

/** Resolves with an error when nothing was said, read or written for so long. `moved`: how much it was until now. */
export async function silent(
  { milliseconds, moved }: { readonly milliseconds: number; readonly moved: () => Promise<number> },
  ctx: Pick<Context, 'host' | 'signal'>,
): Promise<unknown> {
  let last = -1;
  let since = ctx.host.monotonic();
  try {
    for (;;) {
      const now = await moved();
      if (now !== last) since = ctx.host.monotonic();
      last = now;
      if (ctx.host.monotonic() - since >= milliseconds) return stalled(milliseconds);
      await ctx.host.sleep(Math.min(pollMs, milliseconds / 4), ctx.signal);
    }
  } catch {
    // The machine is gone, or nobody wants to know any more.
    return aborted(ctx.signal);
  }
}

function stalled(milliseconds: number): IngotError {
  const seconds = milliseconds / 1000;
  return new IngotError({
    code: 'TIMEOUT',
    message: `the installer has stalled: for ${seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} it said nothing, and read and wrote nothing`,
    hint: 'the picture of the screen may show a question; what is only slow needs a higher `silence-limit`',
  });
}
