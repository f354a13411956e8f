import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskFile } from '../core/kinds.ts';
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
  /** Of a guest's disk instead of a tree. */
  readonly disk?: DiskLayer;
};

/** A layer of blocks means something only on the very disk that it was written on, so each names the one below it. */
export type DiskLayer = {
  readonly id: string;
  /** The id of the layer below; absent for a whole disk. */
  readonly below?: string;
  readonly format: DiskFile['format'];
  /** Bytes that the guest sees. */
  readonly size: number;
  /** Public keys (base64 of 32 bytes) whose private halves were used to make it: no trace of them may be in an image. */
  readonly keys: readonly string[];
  /** Of a whole disk: whether the image has cloud-init, as far as it could be read. */
  readonly cloudInit?: boolean;
  /** Of a whole disk: whether what is on it can be listed without a guest. */
  readonly readable?: boolean;
  /** The version of its newest kernel. */
  readonly kernel?: string;
  /** Of a whole disk: what a guest can be booted by directly; the kernel and its initial RAM disk lie beside it. */
  readonly direct?: DirectBoot;
  /** Of a layer on it: whether the disk still boots by the very same files. */
  readonly bootsAlike?: boolean;
};

export type DirectBoot = {
  /** The kernel's command line. */
  readonly cmdline: string;
  /** Files of the image that its start depends on, beside all in /boot. */
  readonly paths: readonly string[];
  /** A digest of when they were changed. */
  readonly state: string;
};

export type StoredLayer = LayerRecord & { readonly file: string };

const packed = 'layer.tar.zst';
const disk = 'disk.img';
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
    const file = join(folder, layer.disk === undefined ? packed : disk);
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

/** The same for a disk. */
export function diskFile(folder: string): string {
  return join(folder, disk);
}

/** And for what lies beside a disk that can be booted directly. */
export function kernelFile(folder: string): string {
  return join(folder, 'kernel');
}

export function initrdFile(folder: string): string {
  return join(folder, 'initrd');
}

const sidecar = 'sidecar.';

/** Where a step writes a file that is to lie beside the artifacts: in the folder that becomes its layer. */
export function sidecarFile(folder: string, name: string): string {
  return join(folder, `${sidecar}${name}`);
}

/** The files that a stored layer's step gave out, by name: their paths. */
export async function layerSidecars(paths: StorePaths, key: string): Promise<ReadonlyMap<string, string>> {
  const folder = join(paths.layers, key);
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.startsWith(sidecar)).sort();
  return new Map(files.map((file) => [file.slice(sidecar.length), join(folder, file)]));
}

/** Give a packed layer its name. `folder` holds the packed file and becomes the layer. */
export async function saveLayer(
  paths: StorePaths,
  key: string,
  folder: string,
  layer: Omit<LayerRecord, 'schemaVersion' | 'bytes'>,
): Promise<void> {
  const bytes = (await stat(layer.disk === undefined ? packedFile(folder) : diskFile(folder))).size;
  const text = JSON.stringify({ schemaVersion: 1, ...layer, bytes } satisfies LayerRecord);
  await withRoom(paths.layers, bytes, async () => {
    await writeFile(join(folder, record), text);
    await syncFolder(folder);
    const place = join(paths.layers, key);
    if (await moveFolder(folder, place)) return;
    // An old layer of blocks does not fit on the disk that this one was just written on.
    if (layer.disk !== undefined) await dropLayer(paths, key);
    if (layer.disk === undefined || !(await moveFolder(folder, place)))
      await rm(folder, { recursive: true, force: true });
  });
}

/** A guest did not come up that way: from now on the layer is one that is booted as any disk. */
export async function forgetDirectBoot(paths: StorePaths, key: string): Promise<void> {
  const found = await readLayer(paths, key);
  if (found?.disk?.direct === undefined) return;
  const { direct: _, ...rest } = found.disk;
  const folder = join(paths.layers, key);
  const partial = join(folder, `.${record}.partial`);
  await writeFile(partial, JSON.stringify({ ...found, disk: rest } satisfies LayerRecord));
  await rename(partial, join(folder, record));
  await Promise.all([kernelFile(folder), initrdFile(folder)].map((file) => rm(file, { force: true })));
}

/** Take away a layer that turned out not to be whole; it is then made again. */
export async function dropLayer(paths: StorePaths, key: string): Promise<void> {
  await rm(join(paths.layers, key), { recursive: true, force: true });
}
