import { IngotError } from '../core/errors.ts';
import { verdictOf } from './github-faults.ts';
import type { GitHubContext, Pace } from './github-types.ts';

export const usualPace: Pace = { gapMs: 1000, backoffMs: 1000, retries: 5, stallMs: 300_000 };
/** More often than this nobody waits for one answer. */
const mostWaits = 20;

export type Calls = ReturnType<typeof callsOf>;

/** Asks until there is an answer, or no hope for one. */
export function callsOf({ host, signal, onTrouble }: GitHubContext, pace: Pace = usualPace) {
  let changedAt = -Infinity;
  /** The pause before a request that changes something. */
  const rest = async (): Promise<void> => {
    const wait = changedAt + pace.gapMs - host.monotonic();
    if (wait > 0) await sleep(wait);
    changedAt = host.monotonic();
  };
  const sleep = (milliseconds: number) =>
    host.sleep(milliseconds, signal).catch((thrown: unknown) => {
      signal.throwIfAborted();
      throw thrown;
    });
  /** Waits as a failure asks for; throws one that waiting does not cure. */
  const patience = (what: string) => {
    let failures = 0;
    let waits = 0;
    return async (error: unknown): Promise<void> => {
      signal.throwIfAborted();
      const verdict = verdictOf(error, what, host.now());
      if (verdict.kind === 'lasting') throw verdict.error;
      if (verdict.kind === 'taken') throw taken(what);
      const isLimit = verdict.kind === 'wait';
      if (isLimit ? ++waits > mostWaits : ++failures > pace.retries) throw gaveUp(what, verdict.why);
      const milliseconds = isLimit ? verdict.milliseconds : pace.backoffMs * 2 ** (failures - 1);
      onTrouble(`${what}: ${verdict.why}; again in ${Math.ceil(milliseconds / 1000)} s`);
      await sleep(milliseconds);
    };
  };
  const call = async <T>(what: string, action: () => Promise<T>): Promise<T> => {
    const wait = patience(what);
    for (;;) {
      try {
        return await action();
      } catch (error) {
        await wait(error);
      }
    }
  };
  return {
    pace,
    rest,
    patience,
    call,
    /** With the pause that GitHub asks for before each try. */
    change: <T>(what: string, action: () => Promise<T>): Promise<T> =>
      call(what, async () => {
        await rest();
        return action();
      }),
    /** What is gone already was removed by a request whose answer got lost. */
    remove: (what: string, action: () => Promise<unknown>): Promise<void> =>
      call(what, async () => {
        await rest();
        await action().catch((error: unknown) => {
          if (!(error instanceof Error && 'status' in error && error.status === 404)) throw error;
        });
      }),
  };
}

function taken(what: string): IngotError {
  const hint = 'another run may be at it: look at the release, and run the same command again';
  return new IngotError({ code: 'BUSY', message: `${what}: GitHub has one of that name already`, hint });
}

function gaveUp(what: string, why: string): IngotError {
  const hint = 'nothing is lost: the same command goes on with what is there';
  return new IngotError({ code: 'TOOL_FAILED', message: `${what}: ${why}`, hint });
}
