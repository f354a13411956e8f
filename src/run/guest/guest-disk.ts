import { dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import type { DiskFile } from '../../core/kinds.ts';
import { withRoom } from '../../core/space.ts';
import type { Drive } from '../../qemu/argv.ts';
import { commitArgv, createOverlayArgv, flattenArgv, resizeArgv } from '../../qemu/img.ts';
import { linkOrCopy } from '../../store/durable.ts';
import {
  type DirectBoot,
  type DiskLayer,
  diskFile,
  findLayer,
  forgetDirectBoot,
  initrdFile,
  kernelFile,
  saveLayer,
} from '../../store/layers.ts';
import type { StorePaths } from '../../store/paths.ts';
import { type GuestKernel, kernelOf } from './guest-bench.ts';

type Link = DiskLayer & { readonly key: string; readonly file: string };

/** A kernel and its initial RAM disk, as files. */
export type DirectKernel = DirectBoot & { readonly file: string; readonly initrd: string };

/** What a finished step leaves: its key in the store and how it went. */
export type DiskRecord = { readonly key: string; readonly title: string; readonly seconds: number };

/**
 * The disk of a guest under construction: stored layers that only rest, and an overlay on top that the guest writes.
 * All of them are linked into a folder of the build, so that nobody who clears the store takes them away.
 */
export class GuestDisk {
  /** Bytes that the guest sees. */
  readonly size: number;
  readonly #paths: StorePaths;
  readonly #folder: string;
  readonly #chain: Link[] = [];
  #overlay = '';
  #overlays = 0;

  constructor(paths: StorePaths, folder: string, size: number) {
    this.#paths = paths;
    this.#folder = folder;
    this.size = size;
  }

  /** Public keys of everyone who logged in while the layers were made. */
  get keys(): readonly string[] {
    return [...new Set(this.#chain.flatMap(({ keys }) => keys))];
  }

  /** The highest layer. */
  get top(): { readonly key: string; readonly id: string } | undefined {
    return this.#chain.at(-1);
  }

  /** What the lowest layer says of the image, for getting in. */
  get base(): DiskLayer | undefined {
    return this.#chain[0];
  }

  /** The version of the newest kernel on it, as far as it is known. */
  get kernelVersion(): string | undefined {
    return this.#chain.at(-1)?.kernel;
  }

  /** What the lowest layer can be booted by directly. */
  get directKernel(): DirectKernel | undefined {
    const direct = this.#chain[0]?.direct;
    if (direct === undefined) return undefined;
    return { ...direct, file: kernelFile(this.#folder), initrd: initrdFile(this.#folder) };
  }

  /** Whether that is still how the disk starts. */
  get startsAlike(): boolean {
    const [base, ...rest] = this.#chain;
    return base?.direct !== undefined && rest.every(({ bootsAlike }) => bootsAlike === true);
  }

  /** It was tried, and no guest came up: nobody is to try it again. */
  async giveUpDirectBoot(): Promise<void> {
    const [base, ...rest] = this.#chain;
    if (base === undefined) return;
    const { direct: _, ...plain } = base;
    this.#chain.splice(0, this.#chain.length, plain, ...rest);
    await forgetDirectBoot(this.#paths, base.key);
  }

  /** Put a stored layer on what is there; false when it is not whole or was made on another disk. */
  async restore(key: string, ctx: Context): Promise<boolean> {
    const layer = await findLayer(this.#paths, key, ctx.host.now());
    if (layer?.disk === undefined || layer.disk.below !== this.#chain.at(-1)?.id) return false;
    try {
      this.#chain.push({ ...layer.disk, key, file: await this.#link(layer.file, layer.disk) });
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Store a whole disk as the lowest layer. It is linked where it lies in the store, else copied. What it can be booted
   * by directly lies in the new layer already.
   */
  async start(
    disk: DiskFile,
    about: Pick<DiskLayer, 'size' | 'cloudInit' | 'kernel' | 'direct' | 'readable'>,
    record: DiskRecord,
    ctx: Context,
  ) {
    const folder = await this.newLayer(record.key, ctx);
    const file = diskFile(folder);
    const isOurs = disk.path.startsWith(`${this.#paths.home}/`);
    if (isOurs) await linkOrCopy(disk.path, file);
    else {
      const copy = ['cp', '--sparse=always', '--reflink=auto', '--', disk.path, file] as const;
      await withRoom(file, about.size, () => ctx.host.run({ argv: [...copy] }, { signal: ctx.signal }));
    }
    await this.#save(folder, { ...about, id: newLayerId(ctx), format: disk.format, keys: [] }, record);
  }

  /** An empty overlay for the guest to write to. */
  async newOverlay(ctx: Context): Promise<string> {
    this.#overlays += 1;
    const overlay = join(this.#folder, `overlay-${this.#overlays}.qcow2`);
    const make = () => ctx.host.run({ argv: createOverlayArgv(overlay, this.size) }, { signal: ctx.signal });
    await withRoom(overlay, 0, make);
    return overlay;
  }

  /** From now on the guest writes to this overlay. */
  use(overlay: string): void {
    this.#overlay = overlay;
  }

  /** The drive that the guest boots from now. */
  get drive(): Drive {
    const below = this.#chain.map(({ file, format }): DiskFile => ({ path: file, format })).reverse();
    return { id: 'disk', file: { path: this.#overlay, format: 'qcow2' }, below, boot: true };
  }

  /** Store what the guest wrote until now as the next layer; `next` is the overlay that it writes to from now on. */
  async keep(
    next: string,
    layer: Pick<DiskLayer, 'id' | 'keys' | 'kernel' | 'bootsAlike'>,
    record: DiskRecord,
    ctx: Context,
  ): Promise<void> {
    const folder = this.#layerFolder(record.key);
    const file = diskFile(folder);
    await ctx.host.files.rename(this.#overlay, file);
    this.use(next);
    const below = this.#chain.at(-1)?.id;
    if (below === undefined) throw new Error('an overlay lies on a disk');
    await this.#save(folder, { ...layer, below, format: 'qcow2', size: this.size }, record);
  }

  /** Write everything, the overlay too, as one file. */
  flatten(to: DiskFile, ctx: Context): Promise<void> {
    return flatten([this.drive.file, ...(this.drive.below ?? [])], to, ctx);
  }

  /** Write all stored layers as one raw file. The overlay is not looked at: the guest may still write to it. */
  async flattenLayers(raw: string, ctx: Context): Promise<void> {
    const to: DiskFile = { path: raw, format: 'raw' };
    await flatten(this.drive.below ?? [], to, ctx);
    // The lowest layer alone may be smaller than the disk.
    await ctx.host.run({ argv: resizeArgv(to, this.size) }, { signal: ctx.signal });
  }

  /** Write what the guest wrote to the overlay into that file. */
  async commitOverlay(raw: string, ctx: Context): Promise<void> {
    const overlay = this.#overlay;
    const bytes = async () => (await ctx.host.files.stat(overlay))?.size ?? 0;
    await withRoom(raw, bytes, () => ctx.host.run({ argv: commitArgv(overlay, raw) }, { signal: ctx.signal }));
  }

  /** A kernel of the lowest layer, for proving an accelerator. */
  async kernel(scratch: string, ctx: Context): Promise<GuestKernel | undefined> {
    const [base] = this.#chain;
    if (base?.direct !== undefined) return { file: kernelFile(this.#folder), version: base.kernel ?? '' };
    return base === undefined ? undefined : kernelOf({ path: base.file, format: base.format }, scratch, ctx);
  }

  /** An empty folder that becomes the layer of the next step. */
  async newLayer(key: string, ctx: Context): Promise<string> {
    const folder = this.#layerFolder(key);
    await withRoom(folder, 0, () => ctx.host.files.makeDirectory(folder));
    return folder;
  }

  #layerFolder(key: string): string {
    return join(this.#folder, `layer-${key.slice(0, 16)}`);
  }

  /** The link comes first: what is stored may be replaced by another build at any time. */
  async #save(folder: string, disk: DiskLayer, { key, title, seconds }: DiskRecord): Promise<void> {
    this.#chain.push({ ...disk, key, file: await this.#link(diskFile(folder), disk) });
    await saveLayer(this.#paths, key, folder, { title, removed: [], seconds, disk });
  }

  async #link(file: string, { direct }: Pick<DiskLayer, 'direct'>): Promise<string> {
    const own = join(this.#folder, `below-${this.#chain.length}.img`);
    await linkOrCopy(file, own);
    if (direct !== undefined) {
      const folder = dirname(file);
      await linkOrCopy(kernelFile(folder), kernelFile(this.#folder));
      await linkOrCopy(initrdFile(folder), initrdFile(this.#folder));
    }
    return own;
  }
}

async function flatten([top, ...below]: readonly DiskFile[], to: DiskFile, { host, signal }: Context): Promise<void> {
  if (top === undefined) throw new Error('there is no layer');
  const bytes = async () => {
    const { stdout } = await host.run({ argv: ['du', '-c', '-B1', '--', ...[top, ...below].map(({ path }) => path)] });
    return Number(/(\d+)\ttotal/.exec(stdout)?.[1] ?? 0);
  };
  await withRoom(to.path, bytes, () => host.run({ argv: flattenArgv(top, below, to) }, { signal }));
}

export function newLayerId(ctx: Context): string {
  return ctx.host.randomBytes(12).toString('hex');
}
