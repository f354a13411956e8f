import { join, resolve } from 'node:path';
import type { PublishedFile, PublishRequest } from '../cli/requests/artifacts.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { StorePaths } from '../store/paths.ts';
import { publishFile } from '../store/publish-file.ts';

export type Home = { readonly paths: StorePaths; readonly host: Host; readonly cwd: string };

/** Put a file of this machine into the served tree. */
export async function publishHere(
  { paths, host, cwd }: Home,
  { file, as, sha256 }: PublishRequest,
  signal: AbortSignal,
): Promise<PublishedFile> {
  const source = resolve(cwd, file);
  const facts = await host.files.stat(await host.files.realPath(source).catch(() => source));
  if (facts?.kind !== 'file') {
    throw new IngotError({ code: 'NOT_FOUND', message: `there is no file ${source}` });
  }
  const expected = sha256 === undefined ? {} : { sha256 };
  const bytes = bytesOf(host, source, facts.size);
  const published = await publishFile(paths, { as, bytes, size: facts.size, ...expected }, signal);
  return { ...published, file: join(paths.artifacts, published.path) };
}

const chunkBytes = 1024 * 1024;

async function* bytesOf(host: Host, path: string, size: number): AsyncIterable<Uint8Array> {
  const file = await host.files.open(path, 'read');
  try {
    for (let at = 0; at < size; at += chunkBytes) yield await file.read(at, Math.min(chunkBytes, size - at));
  } finally {
    await file.close();
  }
}
