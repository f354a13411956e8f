import { StringDecoder } from 'node:string_decoder';
import { harmless } from '../core/harmless.ts';

const longest = 4096;

/** Cut a byte stream into lines without control characters; a carriage return ends a line too (progress bars). */
export function lineSplitter(onLine: (line: string) => void): {
  readonly add: (bytes: Buffer) => void;
  readonly end: () => void;
} {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const add = (text: string): void => {
    const parts = (rest + text).split(/[\r\n]+/);
    rest = parts.pop() ?? '';
    if (rest.length > longest) parts.push(rest.slice(0, longest));
    if (rest.length > longest) rest = '';
    for (const part of parts) if (part !== '') onLine(harmless(part).slice(0, longest));
  };
  return {
    add: (bytes) => add(decoder.write(bytes)),
    end: () => {
      const last = rest + decoder.end();
      rest = '';
      if (last !== '') onLine(harmless(last).slice(0, longest));
    },
  };
}
