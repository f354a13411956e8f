import type { Context } from '../../core/context.ts';
import type { Firmware } from '../../core/spec.ts';
import type { Ext4 } from '../../qemu/ext4.ts';
import { ext4Tree, type TreeEntry } from '../../qemu/ext4-tree.ts';
import { type Platform, platforms } from '../../tree/boot.ts';
import { coreArgv, earlyConfig, espArgvs } from './loaders.ts';
import { liveFstab, modulesFolder } from './system.ts';

/** Write the bytes of a file of an image to a file here; none of it is held in memory. */
export async function copyOut(entry: TreeEntry, to: string, { host, signal }: Context): Promise<void> {
  const file = await host.files.open(to, 'new');
  let offset = 0;
  try {
    for await (const piece of entry.content()) {
      signal.throwIfAborted();
      await file.write(offset, piece);
      offset += piece.length;
    }
  } finally {
    await file.close();
  }
}

/**
 * The tree as it is when it runs from a medium: without what the medium has outside of it (`without`, paths), and with
 * an fstab that names no disk of its own.
 */
export async function* liveTree(tree: AsyncIterable<TreeEntry>, without: ReadonlySet<string>, fstab: string) {
  const text = Buffer.from(liveFstab(fstab));
  const content = async function* () {
    yield text;
  };
  for await (const entry of tree) {
    if (without.has(entry.path)) continue;
    yield entry.path === '/etc/fstab' && entry.type === 'f' ? { ...entry, size: text.length, content } : entry;
  }
}

export type LoaderRequest = {
  readonly root: Ext4;
  readonly platforms: readonly Platform[];
  /** Names this ISO, and no other. */
  readonly id: string;
  readonly epoch: number;
  /** An empty folder for work files. */
  readonly folder: string;
};

export type Loaders = {
  readonly bios?: { readonly core: string; readonly firstSector: string };
  readonly efi?: { readonly name: string; readonly loader: string; readonly image: string };
};

/** Make the boot loaders of the image's own GRUB modules, so that they are pinned with its other packages. */
export async function makeLoaders(request: LoaderRequest, ctx: Context): Promise<Loaders> {
  const config = `${request.folder}/early.cfg`;
  await ctx.host.files.write(config, earlyConfig(request.id));
  const cores = new Map<Firmware, Core>();
  for (const platform of request.platforms) {
    cores.set(platform === 'bios' ? 'bios' : 'uefi', await makeCore(platform, config, request, ctx));
  }
  const [bios, uefi] = [cores.get('bios'), cores.get('uefi')];
  return {
    ...(bios === undefined ? {} : { bios: { core: bios.file, firstSector: `${bios.modules}/boot_hybrid.img` } }),
    ...(uefi === undefined ? {} : { efi: await makeEfi(uefi, request, ctx) }),
  };
}

type Core = { readonly file: string; readonly name: string; readonly modules: string };

async function makeCore(platform: Platform, config: string, request: LoaderRequest, ctx: Context): Promise<Core> {
  const modules = `${request.folder}/${platforms[platform].grub}`;
  await ctx.host.files.makeDirectory(modules);
  for await (const entry of ext4Tree(request.root.volume, modulesFolder(platform))) {
    const name = entry.path.slice(modulesFolder(platform).length + 1);
    if (entry.type === 'f' && !name.includes('/')) await copyOut(entry, `${modules}/${name}`, ctx);
  }
  const name = platforms[platform].loader ?? 'eltorito.img';
  const file = `${request.folder}/${name}`;
  await ctx.host.run({ argv: coreArgv(platform, { modules, config, output: file }) }, { signal: ctx.signal });
  return { file, name, modules };
}

async function makeEfi({ file, name }: Core, { id, epoch, folder }: LoaderRequest, ctx: Context) {
  const image = `${folder}/efi.img`;
  const bytes = (await ctx.host.files.stat(file))?.size ?? 0;
  const env = { SOURCE_DATE_EPOCH: String(epoch), MTOOLS_SKIP_CHECK: '1', TZ: 'UTC' };
  const touch = ['touch', '-d', `@${epoch}`, '--', file] as const;
  for (const argv of [touch, ...espArgvs(image, file, { bytes, serial: id.slice(0, 8) })]) {
    await ctx.host.run({ argv, env }, { signal: ctx.signal });
  }
  return { name, loader: file, image };
}
