import { open } from 'node:fs/promises';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { formsOf } from './workshop.ts';

export type Unwanted = {
  /** Public keys (32 bytes, base64); both halves of a pair hold them. */
  readonly keys: readonly string[];
  readonly secrets: readonly string[];
};

const chunkBytes = 4 * 1024 * 1024;

/** Look through a whole disk, free space too, for keys and secrets that were used while it was made. */
export async function scanDisk(path: string, unwanted: Unwanted, ctx: Context): Promise<void> {
  const needles = needlesOf(unwanted);
  if (needles.length === 0) return;
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length)) - 1;
  const buffer = Buffer.alloc(overlap + chunkBytes);
  const handle = await open(path);
  try {
    let kept = 0;
    for (let offset = 0; ; ) {
      ctx.signal.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, kept, chunkBytes, offset);
      if (bytesRead === 0) return;
      const window = buffer.subarray(0, kept + bytesRead);
      const found = needles.find(({ bytes }) => window.includes(bytes));
      if (found !== undefined) throw trace(found.what, offset - kept + window.indexOf(found.bytes));
      kept = Math.min(overlap, window.length);
      window.copy(buffer, 0, window.length - kept);
      offset += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

type Needle = { readonly what: string; readonly bytes: Buffer };

/** What to look for: a short secret would be found everywhere and says nothing. */
export function needlesOf({ keys, secrets }: Unwanted): readonly Needle[] {
  const ofKeys = keys.flatMap((key) => {
    const raw = Buffer.from(key, 'base64');
    return [raw, ...base64Forms(raw)].map((bytes) => ({ what: 'a key of the build', bytes }));
  });
  const ofSecrets = secrets
    .filter((secret) => secret.length >= 6)
    .flatMap((secret) => formsOf(secret).map((form) => ({ what: 'a secret of the build', bytes: Buffer.from(form) })));
  return [...ofKeys, ...ofSecrets];
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
