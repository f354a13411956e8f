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

/** Numbers and dates events, and keeps those of a build that does something in `builds/<id>/events.jsonl`. */
export function openJournal(workshop: Workshop, build: string, io: Io) {
  const { host, paths } = workshop;
  let seq = 0;
  const early: IngotEvent[] = [];
  let file: Promise<ReturnType<typeof openAppend>> | undefined;
  const write = (event: IngotEvent) =>
    void file?.then((open) => open.line(JSON.stringify(event))).catch(() => undefined);
  const begin = async () => {
    const folder = join(paths.builds, build);
    await host.files.makeDirectory(folder);
    const open = openAppend(join(folder, 'events.jsonl'));
    for (const event of early) open.line(JSON.stringify(event));
    return open;
  };
  return {
    emit: (body: EventBody): void => {
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
    close: () => void file?.then((open) => open.close()).catch(() => undefined),
  };
}
