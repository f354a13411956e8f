import type { Readable } from 'node:stream';

const mostQueued = 4 * 1024 * 1024;

/**
 * The chunks of a stream as they come. Unlike the stream's own iterator it loses nothing that came before an error: a
 * download that breaks keeps all it was sent. Starts to read at once.
 */
export function readEagerly(stream: Readable): AsyncIterable<Buffer> & { readonly stop: () => void } {
  const queue: Buffer[] = [];
  let queued = 0;
  let over = false;
  let failure: Error | undefined;
  let wake = (): void => undefined;
  stream.on('data', (chunk: Buffer) => {
    queue.push(chunk);
    queued += chunk.length;
    if (queued > mostQueued) stream.pause();
    wake();
  });
  stream.on('error', (error: Error) => {
    failure = error;
  });
  stream.on('close', () => {
    over = true;
    wake();
  });

  async function* chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) {
        yield chunk;
        queued -= chunk.length;
        if (queued <= mostQueued / 2) stream.resume();
      }
      if (failure !== undefined) throw failure;
      if (over) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  return { [Symbol.asyncIterator]: chunks, stop: () => void stream.destroy() };
}
