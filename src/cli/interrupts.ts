import { exitCodes, IngotError } from '../core/errors.ts';

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** The one way a run is told to stop. */
export type Interrupts = {
  /** Aborted once, with an IngotError. */
  readonly signal: AbortSignal;
  /** A signal arrived: the first asks to stop, a second one ends the process at once. */
  deliver(name: StopSignal): void;
  /** Stop for a reason of our own, quietly. */
  stop(reason: unknown): void;
  /** While something interactive runs, Ctrl-C belongs to it. */
  hold<T>(run: () => Promise<T>): Promise<T>;
};

type Outside = {
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** End the process now. */
  readonly exit: (code: number) => void;
  /** Tell the person that we are stopping. */
  readonly onStop: (why: string) => void;
};

const reasons = {
  SIGINT: { code: 'CANCELLED', message: 'stopped by Ctrl-C' },
  SIGTERM: { code: 'TERMINATED', message: 'stopped by SIGTERM' },
  SIGHUP: { code: 'HANGUP', message: 'stopped: the terminal went away' },
} as const;

// timeout(1) and some supervisors signal the process and then its whole group: one wish, delivered twice.
const sameWishMs = 200;

/** Turn signals into one abort, then into an end. */
export function createInterrupts(outside: Outside): Interrupts {
  const controller = new AbortController();
  let firstAt: number | undefined;
  let held = 0;
  return {
    signal: controller.signal,
    deliver(name) {
      if (name === 'SIGINT' && held > 0) return;
      const { code, message } = reasons[name];
      if (firstAt !== undefined) {
        if (outside.now() - firstAt >= sameWishMs) outside.exit(exitCodes[code]);
        return;
      }
      firstAt = outside.now();
      controller.abort(
        new IngotError({ code, message, hint: 'the same command goes on after the last finished step' }),
      );
      outside.onStop(message);
    },
    stop(reason) {
      controller.abort(reason);
    },
    async hold(run) {
      held++;
      try {
        return await run();
      } finally {
        held--;
      }
    },
  };
}
