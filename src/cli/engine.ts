import type { Arch } from '../core/arch.ts';
import type { ErrorRecord, IngotEvent, Outcome } from '../core/events.ts';
import type { IsoDistribution } from '../core/isos.ts';
import type { Json } from '../core/keys.ts';
import type { Tool } from '../core/kinds.ts';
import type { Plan } from '../core/plan.ts';
import type { Published } from '../core/published.ts';

/**
 * All that commands can ask for. Arguments and results are plain data; failures are thrown as IngotError, except
 * that a build or check of several images reports each one's end in its result.
 */
export type Engine = {
  /** Build images that are not built yet; one result for each image and architecture, in the order they are listed. */
  build(request: BuildRequest, io: Io): Promise<readonly BuildResult[]>;
  /** What `build` would do, without doing it. */
  plan(request: PlanRequest, io: Io): Promise<readonly Plan[]>;
  /** Run the checks of the newest finished artifact. */
  check(request: CheckRequest, io: Io): Promise<readonly CheckResult[]>;
  list(request: ListRequest, io: Io): Promise<readonly ListedImage[]>;
  /** Where a finished image came from. */
  show(request: ImageRequest, io: Io): Promise<ImageStory>;
  diff(request: DiffRequest, io: Io): Promise<Difference>;
  /** Write an image file in another format; needs no project. */
  convert(request: ConvertRequest, io: Io): Promise<Converted>;
  /** The bill of materials of a finished build as SPDX 2.3 JSON. */
  spdx(request: ImageRequest, io: Io): Promise<string>;
  /** Make the key that images are signed with. */
  newKey(io: Io): Promise<NewKey>;
  /** Prove that files are what their provenance says. */
  verify(request: VerifyRequest, io: Io): Promise<Verification>;
  gc(request: GcRequest, io: Io): Promise<GcResult>;
  /** Serve the artifacts until the signal; says where by an event. */
  serve(request: ServeRequest, io: Io): Promise<void>;
  /** Put a file into the served tree. */
  publish(request: PublishRequest, io: Io): Promise<PublishedFile>;
  /** Look up what pins and sources are upstream now, and follow them if that is asked for. */
  pins(request: PinsRequest, io: Io): Promise<PinsResult>;
  /** The ISOs of `isos.yaml`, and what is here of each. */
  isos(io: Io): Promise<readonly IsoReport[]>;
  /** Put an entry into `isos.yaml`. */
  addIso(request: AddIsoRequest, io: Io): Promise<AddedIso>;
  /** Fetch ISOs that are not here; one result for each and its architecture. */
  downloadIsos(request: IsoDownloadRequest, io: Io): Promise<readonly IsoDownload[]>;
  /** Put the answers of an image into its vendor's ISO; one result for each architecture. */
  buildIsos(request: IsoBuildRequest, io: Io): Promise<readonly IsoBuild[]>;
  /** Read stored ISOs again, and compare them with their checksums. */
  verifyIsos(request: IsoRequest, io: Io): Promise<readonly IsoVerification[]>;
  /** What this machine has and lacks; `images` empty: for every image of the project, or of no project. */
  doctor(request: DoctorRequest, io: Io): Promise<DoctorReport>;
  /** Boot a throw-away copy and hand the terminal to a login, until the person leaves it; gives what was recorded. */
  shell(request: ShellRequest, io: Io): Promise<RecordedStep | undefined>;
  /** Write a new project; refuses a folder that holds anything. Gives the absolute path of the folder. */
  create(request: CreateRequest, io: Io): Promise<string>;
  /** The JSON Schema of files that a person writes; default: of images. */
  schema(file?: SchemaFile): Promise<Json>;
};

export const schemaFiles = ['image', 'project', 'versions', 'isos'] as const;
export type SchemaFile = (typeof schemaFiles)[number];

/** What every run is handed by the command line. */
export type Io = {
  /** Aborted with an IngotError when the person or the system asks us to stop. */
  readonly signal: AbortSignal;
  readonly emit: (event: IngotEvent) => void;
  /** Give the terminal to something interactive: the display rests, Ctrl-C is no longer ours. */
  withTerminal<T>(run: () => Promise<T>): Promise<T>;
};

/** Where a run takes place, as the person said it; undefined: find it. */
export type EnginePlace = { readonly project: string | undefined; readonly home: string | undefined };

/** Which images: none named means all of them. `native`: this machine's architecture where the image has it. */
export type Selection = {
  readonly images: readonly string[];
  readonly arch: Arch | 'native' | 'all';
  readonly site?: string;
  readonly pass?: number;
};

export type PlanRequest = Selection & {
  /** Run every step, whatever is stored. */
  readonly force: boolean;
  /** Ask the package archives again for the newest versions. */
  readonly refresh: boolean;
};

export type BuildRequest = PlanRequest & {
  /** How many images at once; undefined: what this machine carries. */
  readonly jobs?: number;
  readonly checks: boolean;
  /** Go on from saved states of guests, and save them. */
  readonly warm: boolean;
  readonly onError: 'clean' | 'keep' | 'shell';
  /** Also put the finished files into this folder, as the person wrote it. */
  readonly output?: string;
};

export type BuildResult = {
  readonly image: string;
  readonly arch: Arch;
  readonly build: string;
  readonly key?: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** Absolute paths of the finished files, one for each format, in the order of the spec. */
  readonly paths: readonly string[];
  readonly checks: readonly CheckOutcome[];
  readonly error?: ErrorRecord;
};

/** One image, one build of it: `debian-13`, `debian-13@<build id>`. */
export type ImageRequest = {
  readonly image: string;
  readonly build?: string;
  readonly arch: Arch | 'native';
  readonly site?: string;
};

export type ShellRequest = ImageRequest & {
  /** Open the image as it is before this step (its number, its id, or `seal`) instead of a finished build. */
  readonly step?: string;
  /** Make a step of what is entered; `script`: its name, without folder and ending. */
  readonly record?: { readonly script?: string };
};

/** What was entered in a shell, as a step. */
export type RecordedStep = {
  readonly commands: readonly string[];
  /** What failed and was left out. */
  readonly failed: readonly { readonly command: string; readonly exitCode: number }[];
  /** What will not work in a step as it did in the shell. */
  readonly doubts: readonly string[];
  /** Absolute path of the new script; absent where there is nothing to repeat. */
  readonly script?: string;
  /** The step as it stands in a list of steps. */
  readonly step?: string;
  /** Where the step was put; absent where a person has to do that. */
  readonly place?: { readonly file: string; readonly line: number };
  /** Why a person has to. */
  readonly why?: string;
};

export type CheckRequest = Selection & {
  /** Run them though their result is remembered. */
  readonly force: boolean;
};

export type CheckOutcome = {
  /** `boot under uefi`. */
  readonly title: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** What was seen: `login prompt after 21 s`. */
  readonly evidence?: string;
  readonly error?: ErrorRecord;
};

export type CheckResult = {
  readonly image: string;
  readonly arch: Arch;
  /** Absolute path and digest of what was checked. */
  readonly path: string;
  readonly sha256: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  readonly checks: readonly CheckOutcome[];
  readonly error?: ErrorRecord;
};

export type ListRequest = { readonly site?: string };

export type ListedImage = {
  readonly image: string;
  readonly arch: Arch;
  readonly pass: number;
  readonly description: string;
  /** `current`: a build would do nothing; `stale`: something changed since; `absent`: never finished here. */
  readonly state: 'current' | 'stale' | 'absent';
  readonly built?: {
    readonly build: string;
    /** ISO 8601 UTC. */
    readonly at: string;
    readonly key: string;
    /** Bytes of all its files. */
    readonly bytes: number;
    readonly checks: 'passed' | 'failed' | 'not run';
    readonly paths: readonly string[];
  };
};

/** Where a finished image came from and what was proven of it. */
export type ImageStory = {
  readonly image: string;
  readonly arch: Arch;
  readonly description: string;
  readonly build: string;
  readonly site?: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly seconds: number;
  readonly key: string;
  readonly git?: { readonly commit: string; readonly dirty: boolean };
  /** Where it came from, in a sentence. */
  readonly origin?: string;
  /** Of the distribution inside: `Debian 13.3`. */
  readonly system?: string;
  readonly packages: number;
  readonly steps: readonly { readonly title: string; readonly outcome: Outcome; readonly seconds: number }[];
  readonly artifacts: readonly {
    readonly path: string;
    readonly format: string;
    readonly bytes: number;
    readonly sha256: string;
  }[];
  /** What steps brought out of the image. */
  readonly sidecars?: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  readonly checks: readonly CheckOutcome[];
  /** Versions of the programs that made it. */
  readonly tools: Readonly<Record<string, string>>;
};

/** `to` absent: the newest build against the one before. */
export type DiffRequest = { readonly from: ImageRequest; readonly to?: ImageRequest };

export type DiffSide = {
  readonly image: string;
  readonly arch: Arch;
  readonly build: string;
  /** ISO 8601 UTC. */
  readonly at: string;
};

/** One thing that differs; without `from` it is new, without `to` it is gone. */
export type Change = { readonly name: string; readonly from?: string; readonly to?: string };

export type Difference = {
  readonly from: DiffSide;
  readonly to: DiffSide;
  /** Whether the artifacts have the same bytes. */
  readonly same: boolean;
  /** What went in: options, files, pins. */
  readonly inputs: readonly Change[];
  readonly packages: readonly Change[];
  /** Paths in the image. */
  readonly files: readonly Change[];
  /** Bytes by what a file's name has after the image's, as decimal text. */
  readonly sizes: readonly Change[];
};

export type ConvertRequest = {
  /** Paths as the person wrote them. */
  readonly file: string;
  readonly output: string;
  /** A format, or what its files end in: `vma`, `img.xz`. */
  readonly to: string;
  /** Options of the format by name, as text. */
  readonly options: Readonly<Record<string, string>>;
  /** Of the machine that the disk is for, where the format tells of one. */
  readonly arch: Arch | 'native';
  /** Write over files that are there. */
  readonly force: boolean;
};

export type Converted = {
  /** Absolute. */
  readonly path: string;
  readonly format: string;
  readonly bytes: number;
  readonly seconds: number;
  /** Absolute paths of files that belong to it. */
  readonly beside: readonly string[];
};

export type NewKey = {
  /** 16 hexadecimal digits, as minisign shows them. */
  readonly id: string;
  /** With a passphrase. */
  readonly locked: boolean;
  readonly privateFile: string;
  readonly publicFile: string;
  /** The line that `minisign -P` takes. */
  readonly publicKey: string;
};

export type VerifyRequest = {
  /** An image or one build of it, a file as the person wrote it, or an address. */
  readonly target: string;
  readonly arch: Arch | 'native';
  /** The one public key to trust: a file as the person wrote it, or its line. */
  readonly key?: string;
  readonly allowUnsigned: boolean;
};

export type VerifiedFile = {
  /** Absolute, or the address. */
  readonly path: string;
  readonly image: string;
  readonly arch: string;
  readonly build: string;
  readonly key: string;
  /** Absent: by no trusted key. */
  readonly signedBy?: string;
};

export type Verification = { readonly files: readonly VerifiedFile[] };

export type GcRequest = {
  readonly dryRun: boolean;
  /** Remove what was not used for so long. */
  readonly olderThanSeconds?: number;
  /** Remove the longest unused until no more than this is left. */
  readonly keepBytes?: number;
};

export type GcResult = {
  readonly removed: readonly {
    /** `layer`, `saved state`, `input`, `kept file`, `package`, `build log`, `finished build`, `leftover`. */
    readonly what: string;
    readonly name: string;
    readonly bytes: number;
    readonly unusedSeconds: number;
  }[];
  readonly freedBytes: number;
  readonly keptBytes: number;
};

export type PinsRequest = {
  /** Pins of `versions.yaml` and images; none: all. */
  readonly names: readonly string[];
  /** Write down what moved. */
  readonly update: boolean;
  readonly site?: string;
};

export type PinReport = {
  readonly name: string;
  /**
   * `pin`: of versions.yaml; `source`: what an image's source was when it was last looked up;
   * `iso`: what the list of an ISO said then. */
  readonly what: 'pin' | 'source' | 'iso';
  readonly arch?: Arch;
  /** `new`: never looked up; `fixed`: there is nothing to follow; `failed`: see `error`. */
  readonly state: 'current' | 'moved' | 'new' | 'fixed' | 'failed';
  readonly changes: readonly Change[];
  readonly error?: ErrorRecord;
};

export type PinsResult = {
  readonly pins: readonly PinReport[];
  /** Absolute path of `versions.yaml` when it was written. */
  readonly written?: string;
};

export type IsoReport = {
  readonly name: string;
  readonly distribution: IsoDistribution;
  readonly arch: Arch;
  /** Addresses, or paths in the project. */
  readonly from: readonly string[];
  /** How its bytes are known: a digest that is written down, a list of checksums that is signed or not, or nothing. */
  readonly proof: 'digest' | 'signed list' | 'list' | 'none';
  /** Absent: it must be fetched first. `verified`: it had the right bytes when it came into the store. */
  readonly here?: { readonly bytes: number; readonly verified: boolean; readonly paths: readonly string[] };
};

/** Which ISOs; no names: all. `native`: this machine's architecture where the ISO has it. */
export type IsoRequest = { readonly names: readonly string[]; readonly arch: Selection['arch'] };

export type IsoDownloadRequest = IsoRequest & {
  /** Ask the lists of checksums again. */
  readonly refresh: boolean;
  /** A file that is here already, as the person wrote it, relative to where the command was run; one ISO only. */
  readonly from?: string;
};

export type IsoDownload = {
  readonly name: string;
  readonly arch: Arch;
  /** `cached`: it was here. */
  readonly outcome: Outcome;
  readonly paths: readonly string[];
  readonly error?: ErrorRecord;
};

export type IsoBuildRequest = {
  readonly image: string;
  readonly arch: Selection['arch'];
  readonly site?: string;
  /** `iso`; `disk`: a second one; or the address of a folder, with its last slash. */
  readonly answers: string;
  readonly console?: string;
  /** Until the entry of the menu starts by itself. */
  readonly timeoutSeconds: number;
  readonly powerOff: boolean;
  /** Ask the lists of checksums again. */
  readonly refresh: boolean;
  /** Also put the finished files into this folder, as the person wrote it. */
  readonly output?: string;
};

export type IsoBuild = {
  readonly image: string;
  readonly arch: Arch;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** The ISO first, at their stable names. */
  readonly paths: readonly string[];
  readonly error?: ErrorRecord;
};

export type IsoVerification = {
  readonly name: string;
  readonly arch: Arch;
  /** Of netboot files. */
  readonly part?: 'kernel' | 'initrd';
  /** `unproven`: it is here, and nothing says what its bytes must be. */
  readonly state: 'good' | 'bad' | 'absent' | 'unproven';
  readonly path?: string;
  readonly digest?: string;
  readonly error?: ErrorRecord;
};

export type AddIsoRequest = {
  readonly name: string;
  /** An address or a path as the person wrote it; paths are relative to where the command was run. */
  readonly from: string;
  /** A digest, `sidecar`, or the address of a list of checksums. */
  readonly checksum?: string;
  readonly signature?: string;
  readonly keyring?: string;
  /** Undefined: as the name tells. */
  readonly distribution?: IsoDistribution;
  readonly arch?: Arch;
  readonly kernel?: string;
  readonly initrd?: string;
};

export type AddedIso = {
  readonly name: string;
  /** Absolute path of `isos.yaml`, and the line of the entry. */
  readonly file: string;
  readonly line: number;
  readonly entry: {
    readonly distribution: IsoDistribution;
    readonly arch: Arch;
    readonly url?: string;
    readonly file?: string;
    readonly checksum?: NonNullable<Published['checksum']>;
    readonly kernel?: string;
    readonly initrd?: string;
  };
};

export type ServeRequest = {
  /** Port 0: any that is free. */
  readonly host: string;
  readonly port: number;
  /** What the server is called, besides its addresses and this machine's own names. */
  readonly names: readonly string[];
  /** As the person wrote it; undefined: one in the home, made when it is not there. */
  readonly tokenFile?: string;
};

export type PublishRequest = {
  /** As the person wrote it; relative to where the command was run. */
  readonly file: string;
  /** Its path in the served tree. */
  readonly as: string;
  readonly sha256?: string;
};

export type PublishedFile = {
  /** Absolute path of its name. */
  readonly file: string;
  /** Below the address of the server. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
};

export type DoctorRequest = { readonly images: readonly string[]; readonly arch: Selection['arch'] };

export type DoctorReport = {
  readonly tools: readonly (Tool & {
    /** Undefined: not on this machine. */
    readonly path?: string;
    readonly version?: string;
    /** Names of the images that cannot be made without it. */
    readonly images: readonly string[];
  })[];
  readonly facts: readonly {
    /** `user namespaces`. */
    readonly name: string;
    readonly state: 'ok' | 'slow' | 'missing';
    /** What was found: `65536 ids for builder`. */
    readonly found: string;
    /** The exact command that mends it. */
    readonly fix?: string;
    readonly images: readonly string[];
  }[];
};

export type CreateRequest = {
  /** As the person wrote it; relative to where the command was run. */
  readonly folder: string;
  readonly files: Readonly<Record<string, string>>;
};
