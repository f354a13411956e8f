import type { Arch } from '../../core/arch.ts';
import type { Outcome } from '../../core/events.ts';
import type { CheckOutcome, ImageRequest } from './images.ts';

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

/** `to` absent: a build against the one before, or a release against the newest build here. */
export type DiffRequest = { readonly from: ImageRequest; readonly to?: ImageRequest };

export type DiffSide = {
  readonly image: string;
  readonly arch: Arch;
  readonly build: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  /** The tag of the release that tells of it; absent: it is of this machine. */
  readonly release?: string;
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
