import type { IngotEvent } from '../../core/events.ts';

/** Draws the one stream of events for one kind of reader. */
export type Reporter = {
  event(event: IngotEvent): void;
  /** The run was asked to stop and cleans up now. */
  stopping(why: string): void;
  /** Leave the terminal alone, and take it back. */
  rest(): void;
  wake(): void;
  /** The last word: nothing is drawn after this. */
  close(): void;
};

/** Time as a port, so that drawing is tested without waiting. */
export type Clock = {
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** Call back again and again; the answer stops it. It keeps no process alive. */
  readonly every: (milliseconds: number, act: () => void) => () => void;
};

/** Several readers of the same stream. */
export function together(reporters: readonly Reporter[]): Reporter {
  const all = (act: (reporter: Reporter) => void) => () => reporters.forEach(act);
  return {
    event: (event) => all((reporter) => reporter.event(event))(),
    stopping: (why) => all((reporter) => reporter.stopping(why))(),
    rest: all((reporter) => reporter.rest()),
    wake: all((reporter) => reporter.wake()),
    close: all((reporter) => reporter.close()),
  };
}
