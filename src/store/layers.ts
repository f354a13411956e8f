import { existsSync } from 'node:fs';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withRoom } from '../core/space.ts';
import { moveFolder, syncFolder } from './durable.ts';
import type { StorePaths } from './paths.ts';

/** What is known of a stored layer. */
export type LayerRecord = {
  readonly schemaVersion: 1;
  /** For people: the step's title. */
  readonly title: string;
  /** Paths that the step removed. */
  readonly removed: readonly string[];
  readonly seconds: number;
  /** Bytes of the packed layer. */
  readonly bytes: number;
};

export type StoredLayer = LayerRecord & { readonly file: string };

const packed = 'layer.tar.zst';
const record = 'layer.json';

/** Whether a layer is there; cheap and without promises, for planning. */
export function hasLayer(paths: StorePaths, key: string): boolean {
  return existsSync(join(paths.layers, key, record));
}

/** A layer by its key, marked as used now; undefined when it is not there or not whole. */
export async function findLayer(paths: StorePaths, key: string, now: number): Promise<StoredLayer | undefined> {
  const folder = join(paths.layers, key);
  const layer = await readLayer(paths, key);
  if (layer === undefined) return undefined;
  try {
    const file = join(folder, packed);
    if ((await stat(file)).size !== layer.bytes) return undefined;
    await utimes(join(folder, record), now / 1000, now / 1000);
    return { ...layer, file };
  } catch {
    return undefined;
  }
}

/** What is known of a layer, without using it. */
export async function readLayer(paths: StorePaths, key: string): Promise<LayerRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(paths.layers, key, record), 'utf8')) as LayerRecord;
  } catch {
    return undefined;
  }
}

/** Where to pack a new layer to: a file in a work folder of the caller. */
export function packedFile(folder: string): string {
  return join(folder, packed);
}

/** Give a packed layer its name. `folder` holds the packed file and becomes the layer. */
export async function saveLayer(
  paths: StorePaths,
  key: string,
  folder: string,
  layer: Omit<LayerRecord, 'schemaVersion' | 'bytes'>,
): Promise<void> {
  const bytes = (await stat(packedFile(folder))).size;
  const text = JSON.stringify({ schemaVersion: 1, ...layer, bytes } satisfies LayerRecord);
  await withRoom(paths.layers, bytes, async () => {
    await writeFile(join(folder, record), text);
    await syncFolder(folder);
    if (!(await moveFolder(folder, join(paths.layers, key)))) await rm(folder, { recursive: true, force: true });
  });
}

/** Take away a layer that turned out not to be whole; it is then made again. */
export async function dropLayer(paths: StorePaths, key: string): Promise<void> {
  await rm(join(paths.layers, key), { recursive: true, force: true });
}
