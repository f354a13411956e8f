import { join } from 'node:path';
import type { Io } from '../cli/engine.ts';
import type { EventBody, IngotEvent } from '../core/events.ts';
import type { Host } from '../core/host.ts';
import { openAppend } from '../host/append.ts';
import type { Workshop } from '../run/workshop.ts';

/** `20261121-052812-7c1e`: sorts by time, unlike any other. */
export function buildId(host: Host): string {
  const [date = '', time = ''] = new Date(host.now()).toISOString().split(/[T.]/);
  return `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}-${host.randomBytes(2).toString('hex')}`;
}

/**
 * Numbers and dates events, and keeps those of a build that does something: all of them in `builds/<id>/events.jsonl`,
 * the output of its tools in `builds/<id>/build.log`. A warning is told once, however often it is given.
 */
export function openJournal(workshop: Pick<Workshop, 'host' | 'paths'>, build: string, io: Io) {
  const { host, paths } = workshop;
  let seq = 0;
  const early: IngotEvent[] = [];
  const warned = new Set<string>();
  let file: Promise<(event: IngotEvent) => void> | undefined;
  const closing: (() => void)[] = [];
  const log = join(paths.builds, build, 'build.log');
  const write = (event: IngotEvent) => void file?.then((open) => open(event)).catch(() => undefined);
  const begin = async () => {
    const folder = join(paths.builds, build);
    await host.files.makeDirectory(folder);
    const events = openAppend(join(folder, 'events.jsonl'));
    const lines = openAppend(log);
    closing.push(
      () => events.close(),
      () => lines.close(),
    );
    const keep = (event: IngotEvent) => {
      events.line(JSON.stringify(event));
      const line = logLine(event);
      if (line !== undefined) lines.line(line);
    };
    early.forEach(keep);
    return keep;
  };
  return {
    emit: (body: EventBody): void => {
      if (body.type === 'warning') {
        if (warned.has(body.message)) return;
        warned.add(body.message);
      }
      const event: IngotEvent = { ...body, seq: ++seq, time: new Date(host.now()).toISOString(), build };
      io.emit(event);
      if (file !== undefined) write(event);
      else early.push(event);
      if (file === undefined && body.type === 'step.start') {
        file = begin();
        // A journal that cannot be written takes nothing from the build.
        file.catch(() => undefined);
      }
    },
    /** Where the output of the tools is kept; undefined when nothing has run. */
    logFile: () => (file === undefined ? undefined : log),
    close: (): void => {
      const closeAll = () => {
        for (const close of closing) close();
      };
      file?.then(closeAll, () => undefined);
    },
  };
}

function logLine(event: IngotEvent): string | undefined {
  if (event.type === 'log') return event.line;
  if (event.type === 'step.start') return `== ${event.time} ${event.title}`;
  if (event.type === 'step.end' && event.error !== undefined) return `== failed: ${event.error.message}`;
  return undefined;
}
