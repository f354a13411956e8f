import { z } from 'zod';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { DiskFile } from '../core/kinds.ts';
import { fileNode, layerNode } from './argv.ts';
import type { DiskFormat } from './vet.ts';

type Argv = readonly [string, ...string[]];

/**
 * An empty overlay of `size` bytes. It names nothing below it: that is said where it is opened, so that layers can be
 * moved and nothing is guessed from a file's bytes. Its clusters are as small as the blocks of file systems: what a
 * guest gives back is gone to the last block, and a changed block copies nothing beside it.
 */
export function createOverlayArgv(overlay: string, size: number): Argv {
  return ['qemu-img', 'create', '-q', '-f', 'qcow2', '-o', 'cluster_size=4096', absolute(overlay), String(size)];
}

/** An empty disk, whole in itself, with the same small clusters. */
export function createDiskArgv({ path, format }: DiskFile, size: number): Argv {
  const clusters = format === 'qcow2' ? ['-o', 'cluster_size=4096'] : [];
  return ['qemu-img', 'create', '-q', '-f', format, ...clusters, absolute(path), String(size)];
}

/** Write a disk that lies on others as one whole file. */
export function flattenArgv(file: DiskFile, below: readonly DiskFile[], to: DiskFile): Argv {
  const chain = `json:${JSON.stringify(layerNode(file, below))}`;
  return ['qemu-img', 'convert', '-O', to.format, chain, absolute(to.path)];
}

/** Write what an overlay holds into the raw disk that it lies on; the overlay stays as it is. */
export function commitArgv(overlay: string, raw: string): Argv {
  const below = { ...fileNode({ path: raw, format: 'raw' }), discard: 'unmap' };
  const node = { ...fileNode({ path: overlay, format: 'qcow2' }), backing: below };
  // Nothing is lost with the work of a build: it need not reach the disk.
  return ['qemu-img', 'commit', '-q', '-d', '-t', 'unsafe', `json:${JSON.stringify(node)}`];
}

export function infoArgv(disk: DiskFile): Argv {
  return ['qemu-img', 'info', '--output=json', '-f', disk.format, absolute(disk.path)];
}

/** Where a disk holds data, in JSON. */
export function mapArgv(disk: DiskFile): Argv {
  return ['qemu-img', 'map', '--output=json', '-f', disk.format, absolute(disk.path)];
}

/** Holes stay holes. `-W` is never used: it makes the result depend on timing. */
export function convertArgv(
  from: DiskFile | { readonly path: string; readonly format: DiskFormat },
  to: DiskFile,
): Argv {
  return ['qemu-img', 'convert', '-f', from.format, '-O', to.format, absolute(from.path), absolute(to.path)];
}

/** Exit code 1: the two disks differ. */
export function compareArgv(one: DiskFile, other: DiskFile): Argv {
  return ['qemu-img', 'compare', '-f', one.format, '-F', other.format, absolute(one.path), absolute(other.path)];
}

export function resizeArgv(disk: DiskFile, size: number): Argv {
  return ['qemu-img', 'resize', '-q', '-f', disk.format, absolute(disk.path), String(size)];
}

/** An absolute path cannot be taken for an option or for a protocol such as `json:` or `nbd:`. */
function absolute(path: string): string {
  if (!path.startsWith('/')) throw new Error(`not an absolute path: ${path}`);
  return path;
}

const info = z.object({
  'virtual-size': z.number().int().positive(),
  'backing-filename': z.string().optional(),
  'format-specific': z.object({ data: z.object({ 'data-file': z.string().optional() }).optional() }).optional(),
});

/** The virtual size in bytes of a disk that is whole in itself; fails for one that leads to other files. */
export function parseInfo(text: string, path: string): { readonly virtualSize: number } {
  const found = info.parse(JSON.parse(text));
  const other = found['backing-filename'] ?? found['format-specific']?.data?.['data-file'];
  if (other !== undefined) {
    throw new IngotError({
      code: 'INPUT_REFUSED',
      message: `the disk image ${path} is not whole: it leads to another file`,
      hint: 'flatten it first with a tool and on a machine you trust',
      detail: [`other file: ${other}`],
    });
  }
  return { virtualSize: found['virtual-size'] };
}

/** The virtual size in bytes of a disk image; see `parseInfo`. */
export async function diskSize(disk: DiskFile, { host, signal }: Context): Promise<number> {
  const { stdout } = await host.run({ argv: infoArgv(disk) }, { signal, timeoutMs: 30_000 });
  return parseInfo(stdout, disk.path).virtualSize;
}

export type Extent = { readonly start: number; readonly end: number };

const extent = z.object({ start: z.number().int(), length: z.number().int(), data: z.boolean() });

/** Where a disk holds more than holes: bytes from `start` to before `end`, in order. */
export async function dataExtents(disk: DiskFile, ctx: Context): Promise<readonly Extent[]> {
  const found: Extent[] = [];
  await eachDataExtent(disk, (one) => found.push(one), ctx);
  return found;
}

/** The same, one after another: a large disk can have millions. */
export async function eachDataExtent(
  disk: DiskFile,
  onExtent: (extent: Extent) => void,
  { host, signal }: Context,
): Promise<void> {
  let failed: Error | undefined;
  const onAnswer = (line: string) => {
    try {
      const found = parseExtent(line);
      if (found !== undefined) onExtent(found);
    } catch (error) {
      failed ??= error instanceof Error ? error : new Error(String(error));
    }
  };
  await host.run({ argv: mapArgv(disk) }, { signal, onAnswer });
  if (failed !== undefined) throw failed;
}

/** One extent a line, between the brackets of a list; undefined for a hole. */
function parseExtent(line: string): Extent | undefined {
  const text = line.replace(/^\[|[,\]]+$/g, '').trim();
  if (text === '') return undefined;
  const { start, length, data } = extent.parse(JSON.parse(text));
  return data ? { start, end: start + length } : undefined;
}

/** The disk as a raw file: itself, or a sparse copy at `copy`, made once. */
export async function asRaw(disk: DiskFile, copy: string, { host, signal }: Context): Promise<string> {
  if (disk.format === 'raw') return disk.path;
  if ((await host.files.stat(copy)) !== undefined) return copy;
  const part = `${copy}.part`;
  await host.run({ argv: convertArgv(disk, { path: part, format: 'raw' }) }, { signal });
  await host.files.rename(part, copy);
  return copy;
}
