import { closeSync, openSync, writeSync } from 'node:fs';
import { IngotError } from '../core/errors.ts';

/** Append lines to a file (made with mode 0600); each is handed to the kernel before the call returns. */
export function openAppend(path: string): { line(text: string): void; close(): void } {
  const descriptor = open(path);
  let isOpen = true;
  return {
    line(text) {
      if (isOpen) writeSync(descriptor, `${text}\n`);
    },
    close() {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

function open(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^\w+: /, '') : String(cause);
    throw new IngotError({ code: 'USAGE', message: `cannot write to ${path}: ${why}`, cause });
  }
}
