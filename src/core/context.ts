import type { Emit } from './events.ts';
import type { Host } from './host.ts';

/** What everything that acts is handed: how to stop, how to tell, and the outside world. */
export type Context = {
  readonly signal: AbortSignal;
  readonly emit: Emit;
  readonly host: Host;
  /** The id of the step that is running: output and progress are reported under it. */
  readonly step: string;
};

/** Report one line of output of the running step. */
export function log(ctx: Context, line: string): void {
  ctx.emit({ type: 'log', id: ctx.step, line });
}
