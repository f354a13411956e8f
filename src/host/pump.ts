import type { ServerResponse } from 'node:http';

/** Bytes of a file that are sent; `close` is called once, when no more are wanted. */
export type FileBytes = {
  readonly first: number;
  readonly last: number;
  /** Gives how many were put to the beginning of `into`: 0 at the end of the file. */
  read(into: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
};

const large = 1024 * 1024;
const small = 64 * 1024;
/** So many large spaces at most, 64 MiB in all: many readers that are slow get small ones. */
const mostLarge = 64;

let largeOnes = 0;
const free: Buffer[] = [];

/** Memory that is used again and again: to get it anew from the system takes longer than to read a file into it. */
function takeSpace(): Buffer {
  const known = free.pop();
  if (known !== undefined) return known;
  if (largeOnes >= mostLarge) return Buffer.allocUnsafeSlow(small);
  largeOnes += 1;
  return Buffer.allocUnsafeSlow(large);
}

function giveBack(space: Buffer, isFree: boolean): void {
  if (space.length !== large) return;
  if (isFree) free.push(space);
  else largeOnes -= 1;
}

/** Send bytes of a file as the body of an answer: some are read while those before them are sent. */
export async function pump(file: FileBytes, reply: ServerResponse): Promise<void> {
  const sending = new Sending(reply);
  try {
    for (let at = file.first; at <= file.last; ) {
      const space = takeSpace();
      let count = 0;
      try {
        count = await file.read(space.subarray(0, Math.min(space.length, file.last + 1 - at)), at);
        if (count === 0) throw new Error('the file became shorter while it was sent');
        await sending.done;
      } catch (error) {
        giveBack(space, true);
        throw error;
      }
      at += count;
      sending.begin(space, count, at > file.last);
    }
    await sending.done;
    if (file.last < file.first) reply.end();
  } finally {
    await file.close();
  }
}

/** Bytes on their way out, one piece at a time. */
class Sending {
  /** Settles when the system has the piece; rejects when it never will. */
  done: Promise<void> = Promise.resolve();
  readonly #reply: ServerResponse;
  #fail: (error: Error) => void = () => undefined;

  constructor(reply: ServerResponse) {
    this.#reply = reply;
    reply.once('close', () => this.#fail(new Error('the other side is gone')));
  }

  /** The first bytes of a space, which is free again when the system has them; the last ones end the answer. */
  begin(space: Buffer, count: number, isLast: boolean): void {
    const bytes = space.subarray(0, count);
    const sent = new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      const settle = (error?: Error | null): void => (error ? reject(error) : resolve());
      if (this.#reply.destroyed) reject(new Error('the other side is gone'));
      else if (isLast) this.#reply.end(bytes, settle);
      else this.#reply.write(bytes, settle);
    });
    this.done = sent.then(
      () => giveBack(space, true),
      (error: unknown) => {
        // What is still on its way out of a space must not be written over.
        giveBack(space, false);
        throw error;
      },
    );
    // Told where it is waited for.
    this.done.catch(() => undefined);
  }
}
