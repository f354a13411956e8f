import type { IngotEvent } from '../../core/events.ts';
import { oneLine } from '../text.ts';
import { advance, nameOf, type Progress } from './progress.ts';
import type { Reporter } from './reporter.ts';
import { serveLine } from './serve-line.ts';

/** Everything that happens, one dated line each, for `--log-file`. */
export function logFileReporter(line: (text: string) => void): Reporter {
  let progress: Progress = new Map();
  return {
    event(event) {
      progress = advance(progress, event, 0);
      const build = progress.get(event.build);
      const text = words(event);
      if (text !== undefined) line(`${event.time} ${build ? nameOf(build) : '-'} ${oneLine(text)}`);
    },
    stopping: (why) => line(why),
    rest: () => {},
    wake: () => {},
    close: () => {},
  };
}

function words(event: IngotEvent): string | undefined {
  switch (event.type) {
    case 'build.start':
      return `start: build ${event.build}, key ${event.key}`;
    case 'step.start':
      return `[${event.id}] start: ${event.title}`;
    case 'log':
      return `[${event.id}] ${event.line}`;
    case 'step.end':
      return `[${event.id}] ${event.outcome} after ${event.seconds.toFixed(1)} s${because(event)}`;
    case 'build.end':
      return `${event.outcome} after ${event.seconds.toFixed(1)} s${because(event)}`;
    case 'warning':
      return `warning: ${event.message}`;
    case 'serve.start':
    case 'access':
      return serveLine(event);
    case 'progress':
      return undefined;
  }
}

function because(event: IngotEvent & { type: 'step.end' | 'build.end' }): string {
  return event.error === undefined ? '' : `: ${event.error.message}`;
}
