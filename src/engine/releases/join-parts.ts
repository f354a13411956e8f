import { basename, dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { withRoom } from '../../core/space.ts';
import type { EntryFile } from '../../release/entry.ts';
import { sync } from '../../store/durable.ts';

type Joining = {
  readonly file: EntryFile;
  /** Where the file is to be. */
  readonly to: string;
  /** Have a part, checked, at a path; `before`: the bytes of those before it. */
  readonly fetchPart: (part: EntryFile['assets'][number], path: string, before: number) => Promise<void>;
};

/**
 * A file from its parts. Each is fetched, put behind those that are there, and removed, so that no more room is taken than
 * for the file and one part. A later run goes on behind the last part that is whole.
 */
export async function joinParts({ file, to, fetchPart }: Joining, ctx: Context): Promise<void> {
  const [only, ...more] = file.assets;
  if (only === undefined) return;
  if (more.length === 0) return fetchPart(only, to, 0);
  const { files } = ctx.host;
  // By its digest, so that it is never gone on with for other bytes.
  const partial = `${to}.${file.sha256.slice(0, 12)}.partial`;
  await dropOthers(partial, to, ctx);
  const size = (await files.stat(partial))?.size ?? 0;
  let done = 0;
  for (const part of file.assets) {
    const isThere = size >= done + part.bytes;
    if (!isThere) {
      const path = `${partial}.part`;
      await fetchPart(part, path, done);
      await withRoom(partial, part.bytes, () => append(path, { to: partial, at: done }, ctx));
      await files.remove(path);
    }
    done += part.bytes;
  }
  if ((await files.sha256(partial, ctx.signal)) === file.sha256) {
    await sync(partial);
    await files.rename(partial, to);
    return sync(dirname(to));
  }
  await files.remove(partial);
  const message = `${basename(to)}: its parts together are not what the release tells`;
  throw new IngotError({ code: 'INPUT_REFUSED', message, hint: 'it was removed; run the same command again' });
}

/** What is left of another version of the file. */
async function dropOthers(partial: string, to: string, { host }: Context): Promise<void> {
  const folder = dirname(to);
  for (const name of await host.files.list(folder)) {
    const isPartial = name.startsWith(`${basename(to)}.`) && name.includes('.partial');
    if (isPartial && !name.startsWith(basename(partial))) await host.files.remove(join(folder, name));
  }
}

const blockBytes = 1024 * 1024;

async function append(from: string, { to, at }: { to: string; at: number }, ctx: Context): Promise<void> {
  const { files } = ctx.host;
  const isNew = (await files.stat(to)) === undefined;
  const [source, target] = [await files.open(from, 'read'), await files.open(to, isNew ? 'new' : 'change')];
  try {
    // A run that was killed may have written a piece of this part.
    await target.truncate(at);
    const block = Buffer.allocUnsafe(blockBytes);
    for (let done = 0; ; ) {
      ctx.signal.throwIfAborted();
      const read = await source.read(done, blockBytes, block);
      if (read.length === 0) return;
      await target.write(at + done, read);
      done += read.length;
    }
  } finally {
    await source.close();
    await target.close();
  }
}
