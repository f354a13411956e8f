import type { Arch } from '../../core/arch.ts';

/** Paths are as the person wrote them, relative to where the command was run. */
export type FetchRequest = {
  readonly url: string;
  /** Default: the name in the address, here. */
  readonly output?: string;
  /** Files that may hold parts of it. */
  readonly seeds: readonly string[];
  readonly sha256?: string;
};

export type Fetched = {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Bytes that came over the network, lists and checksums among them. */
  readonly fetchedBytes: number;
  /** Bytes of the file that were here already. */
  readonly reusedBytes: number;
  /** `whole`: the server has no list of chunks of it, or sends whole files only. */
  readonly how: 'chunks' | 'whole' | 'unchanged';
};

export type DeliverRequest = {
  readonly image: string;
  readonly arch: Arch | 'native';
  /** A folder, `ssh://[user@]host[:port]/path`, or a name under `publish` in `ingot.yaml`. */
  readonly to: string;
  /** The name there. */
  readonly as?: string;
  /** A format by its name or ending. */
  readonly format?: string;
};

export type Delivered = {
  /** Where it is now: an absolute path, or an address. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Bytes that were sent by this run; less than `bytes` where an earlier one had begun. */
  readonly sentBytes: number;
  readonly outcome: 'published' | 'unchanged';
  /** What else went there, but for checksums. */
  readonly beside: readonly string[];
};
