import type { Reporter } from './reporter.ts';

/** Every event as one line of JSON. */
export function jsonReporter(line: (text: string) => void): Reporter {
  return {
    event: (event) => line(JSON.stringify(event)),
    stopping: () => {},
    rest: () => {},
    wake: () => {},
    close: () => {},
  };
}
