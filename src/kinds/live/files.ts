import type { Context } from '../../core/context.ts';
import type { Ext4 } from '../../qemu/ext4.ts';
import { ext4Tree, type TreeEntry } from '../../qemu/ext4-tree.ts';
import { type Platform, platforms } from '../../tree/boot.ts';
import { coreArgv, earlyConfig, espArgvs, type Placed, signedConfig } from './loaders.ts';
import { type LiveSystem, liveFstab, modulesFolder } from './system.ts';

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
  readonly system: Pick<LiveSystem, 'id' | 'platforms'>;
  /** Names this ISO, and no other. */
  readonly id: string;
  readonly epoch: number;
  /** An empty folder for work files. */
  readonly folder: string;
};

export type Loaders = {
  readonly bios?: { readonly core: string; readonly firstSector: string };
  readonly efi?: { readonly files: Placed; readonly image: string };
};

/**
 * Make the boot loaders of the image's own GRUB modules, so that they are pinned with its other packages. Where it has the
 * distribution's signed ones for UEFI, those are taken.
 */
export async function makeLoaders(request: LoaderRequest, ctx: Context): Promise<Loaders> {
  const config = `${request.folder}/early.cfg`;
  await ctx.host.files.write(config, earlyConfig(request.id));
  let loaders: Loaders = {};
  for (const platform of request.system.platforms) {
    if (platform === 'bios') {
      const { file, modules } = await makeCore(platform, config, request, ctx);
      loaders = { ...loaders, bios: { core: file, firstSector: `${modules}/boot_hybrid.img` } };
    } else loaders = { ...loaders, efi: await makeEfi(platform, config, request, ctx) };
  }
  return loaders;
}

type Core = { readonly file: string; readonly modules: string };

async function makeCore(platform: Platform, config: string, request: LoaderRequest, ctx: Context): Promise<Core> {
  const modules = `${request.folder}/${platforms[platform].grub}`;
  await ctx.host.files.makeDirectory(modules);
  for await (const entry of ext4Tree(request.root.volume, modulesFolder(platform))) {
    const name = entry.path.slice(modulesFolder(platform).length + 1);
    if (entry.type === 'f' && !name.includes('/')) await copyOut(entry, `${modules}/${name}`, ctx);
  }
  const file = `${modules}.core`;
  await ctx.host.run({ argv: coreArgv(platform, { modules, config, output: file }) }, { signal: ctx.signal });
  return { file, modules };
}

async function makeEfi(platform: EfiPlatform, config: string, request: LoaderRequest, ctx: Context) {
  const { id, epoch, folder } = request;
  const signed = await signedLoaders(platform, request, ctx);
  const files: Placed =
    signed ??
    new Map([[`EFI/BOOT/${platforms[platform].loader}`, (await makeCore(platform, config, request, ctx)).file]]);
  const image = `${folder}/efi.img`;
  const sizes = await Promise.all([...files.values()].map((file) => ctx.host.files.stat(file)));
  const bytes = sizes.reduce((sum, one) => sum + (one?.size ?? 0), 0);
  const env = { SOURCE_DATE_EPOCH: String(epoch), MTOOLS_SKIP_CHECK: '1', TZ: 'UTC' };
  const touch = ['touch', '-d', `@${epoch}`, '--', ...files.values()] as const;
  for (const argv of [touch, ...espArgvs(image, files, { bytes, serial: id.slice(0, 8) })]) {
    await ctx.host.run({ argv, env }, { signal: ctx.signal });
  }
  return { files, image };
}

type EfiPlatform = Exclude<Platform, 'bios'>;

/** What UEFI calls the processor in the names of loaders. */
const efiNames: Readonly<Record<EfiPlatform, string>> = { x86_64: 'x64', aarch64: 'aa64' };

/**
 * The chain that Secure Boot lets through, of shim-signed and grub-efi-amd64-signed; undefined where the image has not got
 * both. The signed GRUB reads its first words in a folder with the distribution's name.
 */
async function signedLoaders(
  platform: EfiPlatform,
  { root, system, id, folder }: LoaderRequest,
  ctx: Context,
): Promise<Placed | undefined> {
  const [name, grub] = [efiNames[platform], platforms[platform].grub];
  const wanted = [
    [`/usr/lib/shim/shim${name}.efi.signed`, `EFI/BOOT/${platforms[platform].loader}`],
    [`/usr/lib/grub/${grub}-signed/grub${name}.efi.signed`, `EFI/BOOT/grub${name}.efi`],
    [`/usr/lib/shim/mm${name}.efi.signed`, `EFI/BOOT/mm${name}.efi`],
  ] as const;
  const config = `${folder}/signed.cfg`;
  await ctx.host.files.write(config, signedConfig(id));
  const files = new Map([[`EFI/${system.id}/grub.cfg`, config]]);
  for (const [path, to] of wanted) {
    for await (const entry of ext4Tree(root.volume, path)) {
      const file = `${folder}/${path.slice(path.lastIndexOf('/') + 1)}`;
      await copyOut(entry, file, ctx);
      files.set(to, file);
    }
  }
  const isWhole = wanted.slice(0, 2).every(([, to]) => files.has(to));
  return isWhole ? files : undefined;
}
