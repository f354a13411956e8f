import type { Arch } from '../core/arch.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { DiskFile } from '../core/kinds.ts';
import { type GuestKeys, makeKeys } from '../guest/keys.ts';
import { credentials, loginUser, writeSeed } from '../guest/seed.ts';
import { findAccelerator } from '../qemu/accelerator.ts';
import type { Accelerator } from '../qemu/argv.ts';
import { openImage } from '../qemu/image-files.ts';
import { asRaw, diskSize } from '../qemu/img.ts';

export type BenchRequest = {
  readonly disk: DiskFile;
  readonly arch: Arch;
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
  readonly virtualization: 'auto' | 'required';
  /** Names of the packages in the image: whether cloud-init is there decides how we get in. */
  readonly packages: readonly string[];
  /** A folder for work files that the caller removes. */
  readonly scratch: string;
  /** A folder that stays: console logs and pictures of screens. */
  readonly logs: string;
  /** A folder of ours for what is worth remembering between builds (INGOT_HOME/state). */
  readonly state: string;
};

/** What all guests of one disk share. */
export type GuestBench = BenchRequest & {
  readonly size: number;
  readonly accelerator: Accelerator;
  readonly keys: GuestKeys;
  /** Who logs in; `root` where no cloud-init makes a user. */
  readonly user: string;
  readonly seed?: DiskFile;
  readonly credentials?: string;
  /** A short folder (0700) for sockets and keys. */
  readonly sockets: string;
};

/** Prepare to boot a disk: keys, seed, and the accelerator that was proven to work. `close` removes what was made. */
export async function openBench(request: BenchRequest, ctx: Context): Promise<GuestBench & { close(): Promise<void> }> {
  const { files } = ctx.host;
  const sockets = await makeSocketFolder(ctx);
  const close = () => files.remove(sockets);
  try {
    await Promise.all([request.scratch, request.logs].map((folder) => files.makeDirectory(folder)));
    const keys = await makeKeys(sockets, ctx);
    const login = await prepareLogin(request, { sockets, keys }, ctx);
    const size = await diskSize(request.disk, ctx);
    const probe = `${sockets}/probe`;
    await files.makeDirectory(probe, 0o700);
    const kernel = () => kernelOf(request, ctx);
    const { arch, virtualization, state } = request;
    const accelerator = await findAccelerator({ arch, virtualization, state, sockets: probe, kernel }, ctx);
    return { ...request, ...login, size, accelerator, keys, sockets, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function prepareLogin(
  { packages, scratch }: BenchRequest,
  { sockets, keys }: { readonly sockets: string; readonly keys: GuestKeys },
  ctx: Context,
): Promise<Pick<GuestBench, 'user' | 'seed' | 'credentials'>> {
  if (packages.includes('cloud-init')) {
    const instance = `ingot-${ctx.host.randomBytes(8).toString('hex')}`;
    return { user: loginUser, seed: await writeSeed({ folder: sockets, keys, instance }, ctx) };
  }
  const file = `${scratch}/credentials`;
  await ctx.host.files.write(file, credentials(keys), 0o600);
  return { user: 'root', credentials: file };
}

/** A kernel of the image to prove the accelerator with; undefined when the disk has none that can be read. */
async function kernelOf({ disk, scratch }: BenchRequest, ctx: Context): Promise<string | undefined> {
  const raw = await asRaw(disk, `${scratch}/disk.raw`, ctx);
  const image = await openImage(raw, ctx).catch((error: unknown) => {
    if (error instanceof IngotError && error.code === 'CHECK_FAILED') return undefined;
    throw error;
  });
  const files = (await image?.list('/boot')) ?? [];
  const kernel = files.find(({ name, kind }) => kind === 'file' && name.startsWith('vmlinuz-'));
  if (kernel === undefined) return undefined;
  const copy = `${scratch}/probe-kernel`;
  await image?.copy(`/boot/${kernel.name}`, copy);
  return copy;
}

const socketRoot = '/tmp';

/**
 * Socket paths may have 107 bytes at most (unix(7)), ssh adds 17 to its own, and ssh gives `%` and spaces in paths a
 * meaning: so they lie in a folder of our own directly under /tmp. Its name holds our process id, and folders of
 * processes that were killed are removed here.
 */
async function makeSocketFolder({ host }: Context): Promise<string> {
  for (const name of await host.files.list(socketRoot)) {
    const pid = ownerOf(name);
    if (pid === undefined || host.platform !== 'linux') continue;
    const alive = (await host.files.stat(`/proc/${pid}`)) !== undefined;
    if (!alive) await host.files.remove(`${socketRoot}/${name}`).catch(() => undefined);
  }
  const folder = `${socketRoot}/ingot-guests-${host.pid}-${host.randomBytes(6).toString('hex')}`;
  await host.files.makeDirectory(folder, 0o700);
  return folder;
}

/** The process that made a folder of ours, from its name. */
export function ownerOf(name: string): number | undefined {
  const pid = /^ingot-guests-(\d+)-[0-9a-f]{12}$/.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
