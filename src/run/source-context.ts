import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { PinContext, SourceContext } from '../core/kinds.ts';
import { fetchInput, readNow } from '../store/inputs.ts';
import { unpackedFile } from '../store/unpacked.ts';
import type { Workshop } from './workshop.ts';

/** What a source is handed to be pinned. */
export function pinContext(workshop: Workshop, ctx: Context): PinContext {
  return {
    ...ctx,
    projectFile: (path) => join(workshop.root, path),
    read: (url) => readNow(workshop.paths, url, ctx),
  };
}

/** What a source is handed to give its disk. */
export function sourceContext(
  workshop: Workshop,
  given: Pick<SourceContext, 'name' | 'folder' | 'image' | 'install'>,
  ctx: Context,
): SourceContext {
  return {
    ...ctx,
    ...given,
    projectFile: (path) => join(workshop.root, path),
    fetch: (url, digest) => fetchInput(workshop.paths, { url, ...digest }, ctx),
    unpack: (file) => unpackedFile(workshop.paths, file, ctx),
  };
}
