import type { Arch } from '../../core/arch.ts';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { type BootMedium, type DiskFile, isDisk } from '../../core/kinds.ts';
import { type GuestKeys, makeKeys, readKeys } from '../../guest/keys.ts';
import {
  bareUserData,
  buildUser,
  buildUserData,
  credentials,
  loginUser,
  userData,
  writeSeed,
} from '../../guest/seed.ts';
import type { SshLogin } from '../../guest/ssh.ts';
import { extractArgv } from '../../iso/facts.ts';
import { findAccelerator } from '../../qemu/accelerator.ts';
import type { Accelerator } from '../../qemu/argv.ts';
import { openImage } from '../../qemu/image-files.ts';
import { asRaw } from '../../qemu/img.ts';
import { kernelAmong } from '../../qemu/translator.ts';

export type BenchRequest = {
  readonly purpose: 'check' | 'build';
  readonly arch: Arch;
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
  readonly virtualization: 'auto' | 'required';
  readonly secureBoot: boolean;
  /** Whether the image has cloud-init: it decides how we get in. */
  readonly cloudInit: boolean;
  /** Get in without it all the same: the guest is booted by its kernel directly, with cloud-init turned off. */
  readonly direct?: boolean;
  /** An access that the image brings along, instead of ours. */
  readonly access?: GuestAccess;
  /** A folder for work files that the caller removes. */
  readonly scratch: string;
  /** A folder that stays: console logs and pictures of screens. */
  readonly logs: string;
  /** A folder of ours for what is worth remembering between builds (INGOT_HOME/state). */
  readonly state: string;
  /** A kernel of the image to prove the accelerator with, and its version; undefined when none can be read. */
  readonly kernel: () => Promise<GuestKernel | undefined>;
  /** The version of the image's kernel, where it is known without looking for it. */
  readonly kernelVersion?: string | undefined;
  /** Keys and seed of an earlier run, to get into a guest that goes on from its saved state. */
  readonly earlier?: EarlierLogin;
};

/** A private key file, or a password. */
export type GuestAccess = { readonly user: string } & ({ readonly keyFile: string } | { readonly password: string });

export type GuestKernel = { readonly file: string; readonly version: string };

/** Where an earlier run's keys and seed were kept. */
export type EarlierLogin = { readonly folder: string };

/** What all guests of one image share. */
export type GuestBench = BenchRequest & {
  readonly accelerator: Accelerator;
  readonly keys: GuestKeys;
  readonly login: SshLogin;
  readonly seed?: DiskFile;
  readonly credentials?: string;
  /** A short folder (0700) for sockets and keys. */
  readonly sockets: string;
};

/** What throw-away copies of a finished disk are booted with. */
export type CopyRequest = Omit<
  BenchRequest,
  'purpose' | 'cloudInit' | 'direct' | 'kernel' | 'kernelVersion' | 'earlier'
> & {
  readonly medium: BootMedium;
  /** Names of the packages in the image. */
  readonly packages: readonly string[];
};

/** The bench for copies of a finished disk. */
export function openCopyBench(request: CopyRequest, ctx: Context): Promise<OpenBench> {
  const { medium, packages, ...rest } = request;
  const kernel = () => mediumKernel(medium, request.scratch, ctx);
  const known = { cloudInit: packages.includes('cloud-init'), kernelVersion: kernelAmong(packages) };
  return openBench({ ...rest, ...known, purpose: 'check', kernel }, ctx);
}

export type OpenBench = GuestBench & { close(): Promise<void> };

/** Prepare to boot an image: keys, seed, and the accelerator that was proven to work. `close` removes what was made. */
export async function openBench(request: BenchRequest, ctx: Context): Promise<OpenBench> {
  const { files } = ctx.host;
  const sockets = await makeSocketFolder(ctx);
  const close = () => files.remove(sockets);
  try {
    await Promise.all([request.scratch, request.logs].map((folder) => files.makeDirectory(folder)));
    const keys =
      request.earlier === undefined
        ? await makeKeys(sockets, ctx)
        : await adoptKeys(request.earlier.folder, sockets, ctx);
    const login = await prepareLogin(request, { sockets, keys }, ctx);
    const probe = `${sockets}/probe`;
    await files.makeDirectory(probe, 0o700);
    const { arch, virtualization, state, kernel, kernelVersion } = request;
    const file = async () => (await kernel())?.file;
    const proof = { arch, virtualization, state, sockets: probe, kernel: file, kernelVersion };
    const accelerator = await findAccelerator(proof, ctx);
    return { ...request, ...login, accelerator, keys, sockets, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A step that waits for a guest that is gone is to know soon; a check may wait for one that is only slow. */
const lostAfterSeconds = { build: 9, check: 120 } as const;

const seedFile = 'seed.img';
const credentialsFile = 'credentials';

/** What is to be kept beside a saved state, so that `EarlierLogin` gets into the guest. */
export function loginFiles(bench: GuestBench): readonly string[] {
  const own = ['login', 'login.pub', 'host', 'host.pub', 'known_hosts'].map((name) => `${bench.sockets}/${name}`);
  const credentials = bench.credentials === undefined ? [] : [bench.credentials];
  return [...own, ...credentials, ...(bench.seed === undefined ? [] : [bench.seed.path])];
}

async function adoptKeys(folder: string, sockets: string, ctx: Context): Promise<GuestKeys> {
  for (const name of await ctx.host.files.list(folder)) {
    const bytes = await ctx.host.files.read(`${folder}/${name}`);
    await ctx.host.files.write(`${sockets}/${name}`, bytes, 0o600);
  }
  return readKeys(sockets, ctx);
}

type Place = { readonly sockets: string; readonly keys: GuestKeys };

async function prepareLogin(
  request: BenchRequest,
  place: Place,
  ctx: Context,
): Promise<Pick<GuestBench, 'login' | 'seed' | 'credentials'>> {
  const { access, cloudInit, purpose, earlier } = request;
  const { sockets, keys } = place;
  if (access !== undefined) return { login: await ownLogin(access, sockets, ctx) };
  const seed = cloudInit ? { seed: await seedOf(request, place, ctx) } : {};
  const login = {
    ...{ user: purpose === 'check' ? loginUser : buildUser, keyFile: keys.loginFile },
    ...{ knownHostsFile: keys.knownHostsFile, hostKeyAlias: keys.alias },
    lostAfterSeconds: lostAfterSeconds[purpose],
  };
  const file = `${sockets}/${credentialsFile}`;
  const hadCredentials = earlier !== undefined && (await ctx.host.files.stat(file)) !== undefined;
  if (cloudInit && request.direct !== true && !hadCredentials) return { login, ...seed };
  if (earlier === undefined) await ctx.host.files.write(file, credentials(keys), 0o600);
  return { login: { ...login, user: 'root' }, credentials: file, ...seed };
}

async function seedOf(
  { direct, purpose, earlier }: BenchRequest,
  { sockets, keys }: Place,
  ctx: Context,
): Promise<DiskFile> {
  if (earlier !== undefined) return { path: `${sockets}/${seedFile}`, format: 'raw' };
  const seed = { folder: sockets, instance: `ingot-${ctx.host.randomBytes(8).toString('hex')}` };
  if (purpose === 'check') return writeSeed({ ...seed, userData: userData(keys), name: 'ingot-guest' }, ctx);
  return writeSeed({ ...seed, userData: direct === true ? bareUserData() : buildUserData(keys) }, ctx);
}

/** The image's own access. Its host key is its own too: it is taken for right once, on loopback, and then pinned. */
async function ownLogin(access: GuestAccess, sockets: string, ctx: Context): Promise<SshLogin> {
  const { user } = access;
  const known = {
    ...{ knownHostsFile: `${sockets}/own_known_hosts`, hostKeyAlias: 'image', newHostKey: true },
    lostAfterSeconds: lostAfterSeconds.build,
  };
  if ('keyFile' in access) {
    const keyFile = `${sockets}/own_key`;
    // ssh refuses keys that others may read, as files of a project are.
    await ctx.host.files.write(keyFile, await ctx.host.files.read(access.keyFile), 0o600);
    return { user, keyFile, ...known };
  }
  await ctx.host.files.write(`${sockets}/password`, `${access.password}\n`, 0o600);
  const askpass = `${sockets}/askpass`;
  await ctx.host.files.write(askpass, `#!/bin/sh\nexec cat '${sockets}/password'\n`, 0o700);
  return { user, askpass, ...known };
}

async function mediumKernel(medium: BootMedium, scratch: string, ctx: Context): Promise<GuestKernel | undefined> {
  if (isDisk(medium)) return kernelOf(medium, scratch, ctx);
  await ctx.host.files.makeDirectory(scratch);
  const file = `${scratch}/probe-kernel`;
  await ctx.host.run({ argv: extractArgv(medium.path, [['live/vmlinuz', file]]) }, { signal: ctx.signal });
  return { file, version: '' };
}

/** A kernel of a disk, copied into `scratch`; undefined when the disk has none that can be read. */
export async function kernelOf(disk: DiskFile, scratch: string, ctx: Context): Promise<GuestKernel | undefined> {
  await ctx.host.files.makeDirectory(scratch);
  const raw = await asRaw(disk, `${scratch}/disk.raw`, ctx);
  const image = await openImage(raw, ctx).catch((error: unknown) => {
    if (error instanceof IngotError && error.code === 'CHECK_FAILED') return undefined;
    throw error;
  });
  const files = (await image?.list('/boot')) ?? [];
  const kernel = files.find(({ name, kind }) => kind === 'file' && name.startsWith('vmlinuz-'));
  if (kernel === undefined) return undefined;
  const file = `${scratch}/probe-kernel`;
  await image?.copy(`/boot/${kernel.name}`, file);
  return { file, version: kernel.name.slice('vmlinuz-'.length) };
}

const socketRoot = '/tmp';

/**
 * Socket paths may have 107 bytes at most (unix(7)), ssh adds 17 to its own, and ssh gives `%` and spaces in paths a
 * meaning: so they lie in a folder of our own directly under /tmp. Its name holds our process id, and folders of
 * processes that were killed are removed here.
 */
export async function makeSocketFolder({ host }: Context): Promise<string> {
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
