import type { ServerResponse } from 'node:http';

/** Bytes of a file that are sent; `close` is called once, when no more are wanted. */
export type FileBytes = {
  readonly first: number;
  readonly last: number;
  /** Gives how many were put to the beginning of `into`: 0 at the end of the file. */
  read(into: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
};

const large = 512 * 1024;
const small = 64 * 1024;
/** So many large spaces at most, 64 MiB in all: many readers that are slow get small ones. */
const mostLarge = 128;

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
  const spaces: Buffer[] = [];
  const sending = new Sending(reply);
  let isFree = false;
  try {
    for (let at = file.first, turn = 0; at <= file.last; turn = 1 - turn) {
      const space = spaces[turn] ?? takeSpace();
      spaces[turn] = space;
      const count = await file.read(space.subarray(0, Math.min(space.length, file.last + 1 - at)), at);
      if (count === 0) throw new Error('the file became shorter while it was sent');
      at += count;
      await sending.done;
      sending.begin(space.subarray(0, count));
    }
    await sending.done;
    isFree = true;
    await sending.end();
  } finally {
    // What is still on its way out of a space must not be written over.
    for (const space of spaces) giveBack(space, isFree);
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

  begin(bytes: Buffer): void {
    this.done = new Promise((resolve, reject) => {
      this.#fail = reject;
      if (this.#reply.destroyed) reject(new Error('the other side is gone'));
      else this.#reply.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    // Told where it is waited for.
    this.done.catch(() => undefined);
  }

  /** The answer is whole: resolves when all of it went out, or never will. */
  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#reply.once('close', resolve);
      this.#reply.end(() => resolve());
    });
  }
}
