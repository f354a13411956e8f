import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { dataExtents, type Extent } from '../qemu/img.ts';
import { formsOf } from './workshop.ts';

export type Unwanted = {
  /** Public keys (32 bytes, base64); both halves of a pair hold them. */
  readonly keys: readonly string[];
  readonly secrets: readonly string[];
};

const chunkBytes = 4 * 1024 * 1024;

/** Look through a whole disk (raw), free space too, for keys and secrets that were used while it was made. */
export async function scanDisk(path: string, unwanted: Unwanted, ctx: Context): Promise<void> {
  const needles = needlesOf(unwanted);
  if (needles.length === 0) return;
  const find = finderOf(needles.map(({ bytes }) => bytes));
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length)) - 1;
  const extents = await dataExtents({ path, format: 'raw' }, ctx);
  for (const { start, end } of widened(extents, overlap)) {
    // Each chunk with the end of the one before it.
    for (let offset = start; offset < end; offset += chunkBytes) {
      ctx.signal.throwIfAborted();
      const length = Math.min(chunkBytes + overlap, end - offset);
      const found = find(await ctx.host.files.read(path, { offset, length }));
      if (found !== undefined) throw trace(needles[found.which]?.what ?? '', offset + found.at);
    }
  }
}

/** Extents with some more on both sides, since what is looked for may begin or end in a hole. */
function widened(extents: readonly Extent[], by: number): readonly Extent[] {
  const wide: Extent[] = [];
  for (const { start, end } of extents) {
    const from = Math.max(0, start - by);
    const last = wide.at(-1);
    if (last === undefined || last.end < from) wide.push({ start: from, end: end + by });
    else wide.splice(-1, 1, { start: last.start, end: end + by });
  }
  return wide;
}

type Found = { readonly which: number; readonly at: number };

const wordBytes = 4;

/**
 * Finds the first of some byte strings. They are longer than a word of four bytes, so each one holds a whole word at one
 * of every so many places: only these are looked at, and compared with all words of all strings at once.
 */
export function finderOf(needles: readonly Uint8Array[]): (bytes: Buffer) => Found | undefined {
  const stride = Math.max(1, Math.min(...needles.map(({ length }) => length)) - wordBytes + 1);
  const words = new Map<number, { readonly which: number; readonly offset: number }[]>();
  const marks = new Uint8Array(1 << 16);
  for (const [which, needle] of needles.entries()) {
    for (let offset = 0; offset + wordBytes <= needle.length; offset += 1) {
      const word = wordAt(needle, offset);
      words.set(word, [...(words.get(word) ?? []), { which, offset }]);
      marks[markOf(word)] = 1;
    }
  }
  return (bytes) => {
    let first: Found | undefined;
    const end = bytes.length - wordBytes;
    for (let place = 0; place <= end; place += stride) {
      const word = wordAt(bytes, place);
      if (marks[markOf(word)] === 0) continue;
      for (const { which, offset } of words.get(word) ?? []) {
        const at = place - offset;
        const needle = needles[which];
        if (needle === undefined || !holds(bytes, at, needle)) continue;
        if (first === undefined || at < first.at) first = { which, at };
      }
      if (first !== undefined) return first;
    }
    return undefined;
  };
}

function holds(bytes: Buffer, at: number, needle: Uint8Array): boolean {
  const end = at + needle.length;
  return at >= 0 && end <= bytes.length && bytes.compare(needle, 0, needle.length, at, end) === 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

function markOf(word: number): number {
  return (word ^ (word >>> 16)) & 0xffff;
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
