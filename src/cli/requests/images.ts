import type { Arch } from '../../core/arch.ts';
import type { ErrorRecord, Outcome } from '../../core/events.ts';

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
