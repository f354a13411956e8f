import { createHash } from 'node:crypto';
import type { Context } from '../core/context.ts';
import { lostConnection, refusal, sshFailure } from './failures.ts';
import { type DeliveryPlace, placeName } from './place.ts';
import { farEndArgv, type Parcel } from './script.ts';

export type Sent = { readonly outcome: 'published' | 'unchanged'; readonly sentBytes: number };

const tries = 4;

/**
 * Put a file of this machine into a place under a name: whole, verified and on the disk there, or not at all; what was
 * there stays until then. Goes on where a connection broke, now or in an earlier run. Fails with AUTH, NO_SPACE, BUSY,
 * NOT_FOUND, INPUT_REFUSED (digest) or TOOL_FAILED (network).
 */
export async function sendFile(path: string, parcel: Parcel, place: DeliveryPlace, ctx: Context): Promise<Sent> {
  let sentBytes = 0;
  for (let left = tries; ; left--) {
    const { end, sent } = await converse(path, parcel, place, ctx);
    sentBytes += sent;
    if (end === 'done') return { outcome: 'published', sentBytes };
    // It may have been us, when the connection was lost after the last byte.
    if (end === 'same') return { outcome: sentBytes === 0 ? 'unchanged' : 'published', sentBytes };
    if (sent === 0 || left <= 1) throw lostConnection(place, parcel, sentBytes);
    ctx.emit({ type: 'warning', message: `the connection to ${placeName(place)} was lost; going on` });
  }
}

type Talk = { readonly end: 'done' | 'same' | 'lost'; readonly sent: number };

async function converse(path: string, parcel: Parcel, place: DeliveryPlace, ctx: Context): Promise<Talk> {
  const { host, signal } = ctx;
  const talk = new Conversation();
  const result = await host.run(
    { name: place.ssh === undefined ? 'sh' : 'ssh', argv: farEndArgv(place, parcel) },
    {
      signal,
      stdin: endable(rest(path, parcel, { place, talk, ctx })),
      onAnswer: (line) => talk.hear(line),
      ok: everyExit,
    },
  );
  if (talk.failure !== undefined) throw talk.failure;
  const { end, fail } = talk;
  if (fail !== undefined) throw refusal(fail, place, parcel);
  if (end === undefined && !talk.isReady) throw sshFailure(result, place, parcel);
  return { end: end ?? 'lost', sent: talk.sent };
}

const everyExit = Array.from({ length: 256 }, (_, code) => code);

/** What the far end said so far. */
class Conversation {
  isReady = false;
  end: 'done' | 'same' | undefined;
  /** The reason it gave, in words of the script. */
  fail: string | undefined;
  part: { readonly bytes: number; readonly sha256: string } | undefined;
  freeBytes: number | undefined;
  /** What went wrong on this side. */
  failure: Error | undefined;
  sent = 0;
  #wake = (): void => undefined;
  readonly ready = new Promise<void>((resolve) => {
    this.#wake = resolve;
  });

  hear(line: string): void {
    const [mark, word, ...rest] = line.split(' ');
    // A login may greet with anything.
    if (mark !== 'ingot') return;
    if (word === 'part') this.part = { bytes: Number(rest[0]), sha256: rest[1] ?? '' };
    if (word === 'free' && /^\d+$/.test(rest[0] ?? '')) this.freeBytes = Number(rest[0]) * 1024;
    if (word === 'fail') this.fail = rest.join(' ');
    if (word === 'same' || word === 'done') this.end = word;
    if (word !== 'ready') return;
    this.isReady = true;
    this.#wake();
  }
}

type Around = { readonly place: DeliveryPlace; readonly talk: Conversation; readonly ctx: Context };

const windowBytes = 1024 * 1024;

/** What is said on stdin: from where we go on, then the bytes from there. */
async function* rest(path: string, parcel: Parcel, { place, talk, ctx }: Around): AsyncGenerator<Uint8Array> {
  await talk.ready;
  const file = await ctx.host.files.open(path, 'read');
  try {
    const begun = talk.part === undefined ? 0 : talk.part.bytes;
    const start = talk.part !== undefined && (await prefix(file, begun)) === talk.part.sha256 ? begun : 0;
    const missing = parcel.bytes - start;
    // What was begun with and is of no use is removed first.
    if (talk.freeBytes !== undefined && missing > talk.freeBytes + (start === 0 ? begun : 0)) {
      talk.fail = 'full';
      return;
    }
    yield Buffer.from(`go ${start}\n`);
    for (let at = start; at < parcel.bytes; ) {
      ctx.signal.throwIfAborted();
      const bytes = await file.read(at, Math.min(windowBytes, parcel.bytes - at));
      if (bytes.length === 0) throw new Error(`${path} became shorter while it was sent to ${placeName(place)}`);
      yield bytes;
      at += bytes.length;
      talk.sent += bytes.length;
      ctx.emit({ type: 'progress', id: ctx.step, done: at, total: parcel.bytes, unit: 'bytes' });
    }
  } catch (error) {
    talk.failure = error instanceof Error ? error : new Error(String(error));
  } finally {
    await file.close();
  }
}

async function prefix(file: { read(offset: number, length: number): Promise<Buffer> }, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes; ) {
    const piece = await file.read(at, Math.min(windowBytes, bytes - at));
    if (piece.length === 0) return '';
    hash.update(piece);
    at += piece.length;
  }
  return hash.digest('hex');
}

/** The same, given up at once by who reads it: a generator that waits would be waited for. */
function endable(items: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => items.next(),
      return: () => {
        void items.return(undefined);
        return Promise.resolve({ done: true as const, value: undefined });
      },
    }),
  };
}
