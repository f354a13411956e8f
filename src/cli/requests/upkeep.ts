import type { Arch } from '../../core/arch.ts';
import type { ErrorRecord } from '../../core/events.ts';
import type { Tool } from '../../core/kinds.ts';
import type { Selection } from './images.ts';
import type { Change } from './trace.ts';

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
    readonly why: string;
  }[];
  /** The finished builds that stay. */
  readonly builds: GcResult['removed'];
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
