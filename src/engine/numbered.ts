import type { Io } from '../cli/engine.ts';
import type { EventBody } from '../core/events.ts';
import type { Host } from '../core/host.ts';

/** Tells events of what is no build, numbered and dated, under a name of its own. */
export function numbered(io: Io, host: Pick<Host, 'now'>, build: string): (body: EventBody) => void {
  let seq = 0;
  return (body) => io.emit({ ...body, seq: ++seq, time: new Date(host.now()).toISOString(), build });
}
