import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { formsOf } from './workshop.ts';

export type Unwanted = {
  /** Public keys (32 bytes, base64); both halves of a pair hold them. */
  readonly keys: readonly string[];
  readonly secrets: readonly string[];
};

const chunkBytes = 4 * 1024 * 1024;
const pieceBytes = 64 * 1024;
const zeros = Buffer.alloc(pieceBytes);

/** Look through a whole disk, free space too, for keys and secrets that were used while it was made. */
export async function scanDisk(path: string, unwanted: Unwanted, ctx: Context): Promise<void> {
  const needles = needlesOf(unwanted);
  if (needles.length === 0) return;
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length)) - 1;
  for (let offset = 0; ; offset += chunkBytes) {
    ctx.signal.throwIfAborted();
    // Each chunk with the end of the one before it.
    const begin = Math.max(0, offset - overlap);
    const length = offset + chunkBytes - begin;
    const window = await ctx.host.files.read(path, { offset: begin, length });
    for (const { start, end } of dataIn(window)) {
      const from = Math.max(0, start - overlap);
      const part = window.subarray(from, end + overlap);
      const found = needles.find(({ bytes }) => part.includes(bytes));
      if (found !== undefined) throw trace(found.what, begin + from + part.indexOf(found.bytes));
    }
    if (window.length < length) return;
  }
}

type Run = { readonly start: number; readonly end: number };

/** Where there is more than zeros: most of a disk is holes, and searching is far slower than comparing. */
function* dataIn(bytes: Buffer): Generator<Run> {
  let start: number | undefined;
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    if (!piece.equals(zeros.subarray(0, piece.length))) start ??= at;
    else if (start !== undefined) {
      yield { start, end: at };
      start = undefined;
    }
  }
  if (start !== undefined) yield { start, end: bytes.length };
}

type Needle = { readonly what: string; readonly bytes: Buffer };

/** What to look for: a short secret would be found everywhere and says nothing. */
function needlesOf({ keys, secrets }: Unwanted): readonly Needle[] {
  const ofKeys = keys.flatMap((key) => {
    const raw = Buffer.from(key, 'base64');
    return [raw, ...base64Forms(raw)].map((bytes) => ({ what: 'a key of the build', bytes }));
  });
  const ofSecrets = secrets
    .filter((secret) => secret.length >= 6)
    .flatMap((secret) => [...new Set(formsOf(secret).filter((form) => isTelling(form, secret)))])
    .map((form) => ({ what: 'a secret of the build', bytes: Buffer.from(form) }));
  return [...ofKeys, ...ofSecrets];
}

/** Of a secret's lines those of a key are looked for by themselves: `-----BEGIN PRIVATE KEY-----` is on every disk. */
function isTelling(form: string, secret: string): boolean {
  const isLine = form !== secret && secret.split('\n').includes(form);
  return !isLine || /^(?!-----)\S{20,}$/.test(form);
}

/** How bytes look within a longer base64 text, at each of the three places they can begin. */
function base64Forms(raw: Buffer): readonly Buffer[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), raw])
      .toString('base64')
      .replace(/=+$/, '');
    return Buffer.from(text.slice(shift === 0 ? 0 : shift + 1, -1));
  });
}

function trace(what: string, offset: number): IngotError {
  return new IngotError({
    code: 'CHECK_FAILED',
    message: `${what} is still on the sealed disk, at byte ${offset}`,
    hint: 'a step copied it where sealing does not look: remove it there, or do not write it to the disk at all',
  });
}
