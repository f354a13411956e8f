import { StringDecoder } from 'node:string_decoder';
import { harmless } from '../core/harmless.ts';

const longest = 4096;
const longestAnswer = 1024 * 1024;

type LineSplitter = { readonly add: (bytes: Buffer) => void; readonly end: () => void };

/** Cut a byte stream into lines without control characters; a carriage return ends a line too (progress bars). */
export function lineSplitter(onLine: (line: string) => void): LineSplitter {
  return splitter((line) => onLine(harmless(line).slice(0, longest)), longest);
}

/** Cut a byte stream into lines as they are, for those who read data and not text. */
export function answerSplitter(onLine: (line: string) => void): LineSplitter {
  return splitter(onLine, longestAnswer);
}

function splitter(onLine: (line: string) => void, most: number): LineSplitter {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const add = (text: string): void => {
    const parts = (rest + text).split(/[\r\n]+/);
    rest = parts.pop() ?? '';
    if (rest.length > most) parts.push(rest.slice(0, most));
    if (rest.length > most) rest = '';
    for (const part of parts) if (part !== '') onLine(part);
  };
  return {
    add: (bytes) => add(decoder.write(bytes)),
    end: () => {
      const last = rest + decoder.end();
      rest = '';
      if (last !== '') onLine(last);
    },
  };
}
