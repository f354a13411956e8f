import type { z } from 'zod';
import type { Arch } from './arch.ts';
import type { Context } from './context.ts';
import type { Digest } from './digests.ts';
import type { Command, RunOptions, RunResult } from './host.ts';
import type { InstallRequest } from './install.ts';
import type { Json } from './keys.ts';
import type { Material } from './manifest.ts';
import type { Medium } from './media.ts';
import type { Bench } from './plan.ts';
import type { Script } from './script.ts';
import type { Firmware } from './spec.ts';

/** A program that must be on the build machine, for `doctor`, `setup` and `make deps`. */
export type Tool = {
  readonly program: string;
  /** The Debian package that has it. */
  readonly debian: string;
  readonly why: string;
};

/** What every kind says of itself; its reference page and JSON Schema are made from this. */
type Kind<Options> = {
  /** The word in the spec file, kebab-case. */
  readonly name: string;
  /** Raised when the same options would give other bytes. */
  readonly version: number;
  /** One sentence for people. */
  readonly summary: string;
  readonly options: z.ZodType<Options>;
  /** Options as a person writes them, for the reference. */
  readonly example: Json;
  title(options: Options): string;
  tools?(options: Options, arch: Arch): readonly Tool[];
};

/** Where a tree lives while it is built: a session of namespaces that dies with this process. */
export type TreeSession = {
  readonly arch: Arch;
  /** The root of the tree, as programs of the build machine see it inside the session. */
  readonly root: string;
  /** An empty folder beside it, for work files; gone at the end. */
  readonly scratch: string;
  /** A caching proxy for http package downloads, `http://127.0.0.1:PORT`. */
  readonly proxy: string | undefined;
  /** Absolute path of a project-relative path that `files` named. */
  projectFile(path: string): string;
  /** Run a program of the build machine inside the session, with the tree's owner ids. */
  run(command: Command, options: RunOptions): Promise<RunResult>;
  /** The image under change. */
  readonly work: Work;
};

/** An image under change, on either bench. Everything runs as the image's root and leaves no process behind. */
export type Work = {
  readonly bench: Bench;
  readonly arch: Arch;
  /** Run a script in the image. Output goes to the log; a failure is STEP_FAILED with exit code and last lines. */
  exec(script: Script, options?: { readonly stdin?: string | AsyncIterable<Uint8Array> }): Promise<void>;
  /** The same, giving stdout back (at most 10 MiB) without logging it. */
  read(script: Script): Promise<string>;
  /** The same, writing the bytes of stdout to a file of the build machine. */
  readTo(script: Script, file: string): Promise<void>;
  /** How programs of the build machine, such as ansible, get into the image. Only in programs run by `beside`. */
  readonly login: Login;
  /** Run a program of the build machine where `login` works. */
  beside(command: Command, options?: RunOptions): Promise<RunResult>;
  /** Restart the machine and wait until it lets us in again. Only on the guest bench. */
  restart?(): Promise<void>;
};

/** A login as root without a password, by OpenSSH; on the tree bench by a program that takes ssh's words. */
export type Login = {
  /** A program with ssh's command line: absolute path of ssh, or of its stand-in. */
  readonly ssh: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Whether root's rights take `sudo` (without a password). */
  readonly sudo: boolean;
  /** Words for ssh before the host: keys, known hosts, the socket of the open connection. */
  readonly options: readonly string[];
};

/** What a source was told beside its options. `pin` is what its own `pin()` answered. */
export type SourceRequest = { readonly arch: Arch; readonly pin: Json };

export type PinContext = Context & {
  /** Absolute path of a project-relative path that `files` named. */
  projectFile(path: string): string;
  /** A small file as it is now, such as a list of checksums; `http:`, `https:` or `file:`. */
  read(url: string): Promise<Buffer>;
};

export type SourceContext = Context & {
  /** The name of the image that is made. */
  readonly name: string;
  /** Absolute path of a project-relative path that `files` named. */
  projectFile(path: string): string;
  /** A verified file by digest, fetched once and shared; `http:`, `https:` or `file:`. */
  fetch(url: string, digest: Digest): Promise<string>;
  /**
   * What a compressed file holds, unpacked once and kept; the file itself when it is not compressed. `fetch` gives the
   * file where it is needed still. `name`: for errors.
   */
  unpack(file: {
    readonly name: string;
    readonly digest: Digest;
    readonly fetch: () => Promise<string>;
  }): Promise<string>;
  /** The newest finished disk of another image of the project, for this architecture. */
  image(name: string): Promise<DiskFile>;
  /** Run an installer on an empty disk of the image's size, under its firmware, until it turns the machine off. */
  install(request: InstallRequest): Promise<DiskFile>;
  /** A folder for work files that is gone after the build. */
  readonly folder: string;
};

export type Source<Options = unknown> = Kind<Options> & {
  readonly bench: Bench;
  /** Project-relative paths whose bytes the source uses. */
  files?(options: Options): readonly string[];
  /** Where a name of `isos.yaml` may stand in the options: `[['iso']]`. The kind gets its entry in the name's place. */
  readonly isosIn?: readonly (readonly string[])[];
  /** Where `${secret.x}` may stand in the options: `[['answers', 'user', 'password']]`. */
  readonly secretsIn?: readonly (readonly string[])[];
  /** Options that change no byte of the result, such as time limits: not part of the key. */
  readonly aside?: readonly string[];
  /** Its disk is made under the first firmware of the image and may differ from that of another one: part of the key. */
  readonly installs?: boolean;
  /** Names of the images it is made from; they are built first, and their keys are its pin, by name. */
  parents?(options: Options): readonly string[];
  /** Ask the outside world for exact versions; part of the key. Kept by the store until a refresh is asked for. */
  pin?(options: Options, arch: Arch, ctx: PinContext): Promise<Json>;
  /** Whether `pin` has anything to ask for these options; where not, the pin is null. Default: it has. */
  asks?(options: Options): boolean;
  /** Fill an empty tree. Only on the tree bench. */
  fill?(options: Options, request: SourceRequest, tree: TreeSession, ctx: Context): Promise<void>;
  /** A whole, vetted disk that is only read: in the store, in `folder`, or of the project. Only on the guest bench. */
  disk?(options: Options, request: SourceRequest, ctx: SourceContext): Promise<DiskFile>;
  /** Of sources that install from a vendor's ISO: what makes that ISO do the same by itself. */
  readonly medium?: Medium<Options>;
  /** The file from elsewhere that it starts from, for the record; undefined where its digest is not known. */
  base?(options: Options, pin: Json): Material | undefined;
  /** The moment all file times are clamped to, seconds since 1970, from the pin. */
  epoch?(pin: Json): number;
};

export type Step<Options = unknown> = Kind<Options> & {
  readonly on: readonly Bench[];
  /** Project-relative paths whose bytes the step uses; a folder stands for all it holds. */
  files?(options: Options): readonly string[];
  /** Where `${secret.x}` may stand in the options: `[['env', '*'], ['content']]`. */
  readonly secretsIn?: readonly (readonly string[])[];
  /** Files from elsewhere that it brings into the image, for the record. */
  materials?(options: Options): readonly Material[];
  /** Options that may stand as a step by themselves: `- upgrade: true` is `- packages: { upgrade: true }`. */
  readonly shorthands?: readonly string[];
  run(options: Options, work: Work, ctx: StepContext): Promise<void>;
};

export type StepContext = Context & {
  /** Absolute path of a project-relative path that `files` named. */
  projectFile(path: string): string;
  /** A verified file by digest, fetched once and shared. */
  fetch(url: string, sha256: string): Promise<string>;
  /** Where to write a file that is to lie beside the artifacts under this name; kept with the step's layer. */
  sidecar(name: string): string;
  /** A folder for work files that is gone after the step; nobody else can read it. */
  readonly folder: string;
  /** A file of the store that `make` writes once for all builds, found again by its key (letters and digits). */
  keep(key: string, make: (file: string) => Promise<void>): Promise<string>;
};

/** A disk image on this machine; the format as QEMU calls it (`vpc` is VHD). */
export type DiskFile = {
  readonly path: string;
  readonly format: 'raw' | 'qcow2' | 'vmdk' | 'vhdx' | 'vdi' | 'vpc';
};

/** What a machine can be started from: a disk, or an ISO in a drive for CDs. */
export type BootMedium = { readonly path: string; readonly format: DiskFile['format'] | 'iso' };

export function isDisk<M extends BootMedium>(medium: M): medium is M & DiskFile {
  return medium.format !== 'iso';
}

/** What a format may tell of the machine that its disk is for. */
export type ImageFacts = {
  readonly name: string;
  readonly arch: Arch;
  /** Which firmwares the disk boots under. */
  readonly firmware: readonly Firmware[];
};

export type WriteRequest = {
  /** Absolute path of the raw sealed disk, which is only read. */
  readonly disk: string;
  /** Absolute path of the file to write, under its last name; files of work may lie beside it while it is written. */
  readonly output: string;
  readonly image: ImageFacts;
};

export type Format<Options = unknown> = Kind<Options> & {
  /** Without the dot: `qcow2`, `raw.zst`. */
  extension(options: Options): string;
  /** Extensions of files that `write` puts beside the output, whose own extension they have in the place of: `bmap`. */
  beside?(options: Options): readonly string[];
  /** Write the raw sealed disk to `output`, deterministically. */
  write(options: Options, request: WriteRequest, ctx: Context): Promise<void>;
  /** How QEMU starts from the written file, where it can as it is; the checks boot the first such format. */
  boots(options: Options): BootMedium['format'] | undefined;
  /** Where it cannot: write the disk that the file holds to `output`, so that another image can start from it. */
  unpack?(
    options: Options,
    request: { readonly file: string; readonly output: string },
    ctx: Context,
  ): Promise<DiskFile['format']>;
  /**
   * Walk a written file to exactly its last byte, and compare it with the raw disk that it should hold where there is one;
   * INPUT_REFUSED says why it is not whole, or another. `scratch`: a folder for work files.
   */
  prove?(
    options: Options,
    request: { readonly file: string; readonly scratch: string; readonly disk: string | undefined },
    ctx: Context,
  ): Promise<void>;
};

/** What the names of all files that a format writes end in, that of the output first. */
export function extensionsOf(format: Format, options: unknown): readonly [string, ...string[]] {
  return [format.extension(options), ...(format.beside?.(options) ?? [])];
}

/** A guest that was booted from the artifact on a throw-away overlay, for the checks. */
export type CheckGuest = {
  readonly firmware: Firmware;
  readonly arch: Arch;
  /**
   * Run as root over ssh; gives the result back whatever the exit code. The time-out is meant for a guest with
   * hardware virtualization (default 60 s); it is stretched where there is none.
   */
  exec(script: Script, options?: { readonly timeoutMs?: number }): Promise<RunResult>;
  /** Run as the seeded login user. */
  execAsUser(script: Script): Promise<RunResult>;
  /** Restart and wait for ssh again. */
  reboot(): Promise<void>;
  /** What makes a machine itself: must differ between two boots of one image. */
  readonly identity: { readonly machineId: string; readonly hostKeys: readonly string[] };
  /** How to reach it, for tools that bring their own ssh. */
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly keyFile: string;
    readonly knownHostsFile: string;
    readonly hostKeyAlias: string;
  };
};

export type CheckSubject = {
  readonly arch: Arch;
  readonly medium: BootMedium;
  /** One guest per firmware, in the order of the spec; empty when no check needs one. */
  readonly guests: readonly CheckGuest[];
  /** A folder for work files; gone at the end. */
  readonly scratch: string;
};

export type Check<Options = unknown> = Kind<Options> & {
  readonly needs: 'file' | 'guest';
  /** It may also be asked of a system as its installer left it, before seal: always, or where the image has no steps. */
  readonly installed?: 'always' | 'without steps';
  /** Resolves with a short line of evidence; fails with CHECK_FAILED. */
  run(options: Options, subject: CheckSubject, ctx: Context): Promise<string>;
};

/** All kinds, handed down by `app.ts`; nobody else imports one. */
export type Kinds = {
  readonly sources: ReadonlyMap<string, Source>;
  readonly steps: ReadonlyMap<string, Step>;
  readonly checks: ReadonlyMap<string, Check>;
  readonly formats: ReadonlyMap<string, Format>;
};

// Options are parsed by the kind's own schema before they reach its functions, so the type may be forgotten here.
export function defineSource<Options>(source: Source<Options>): Source {
  return source;
}
export function defineStep<Options>(step: Step<Options>): Step {
  return step;
}
export function defineCheck<Options>(check: Check<Options>): Check {
  return check;
}
export function defineFormat<Options>(format: Format<Options>): Format {
  return format;
}

/** Kinds by their names; two of one name are our bug. */
export function byName<K extends { readonly name: string }>(kinds: readonly K[]): ReadonlyMap<string, K> {
  const map = new Map(kinds.map((kind) => [kind.name, kind]));
  if (map.size !== kinds.length) throw new Error('two kinds of one name');
  return map;
}
