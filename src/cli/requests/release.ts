import type { Arch } from '../../core/arch.ts';
import type { ErrorRecord, Outcome } from '../../core/events.ts';

/** Whose releases; undefined: as `ingot.yaml` says. */
export type ReleasePlace = {
  /** `owner/name`. */
  readonly repository?: string;
  /** The address of the API of GitHub Enterprise. */
  readonly api?: string;
};

export type ReleaseRequest = ReleasePlace & {
  readonly images: readonly string[];
  /** Every image of the project, or, to remove, of the release. */
  readonly all: boolean;
  readonly arch: Arch | 'native' | 'all';
  /** A tag, `date` or `point`; undefined: the moving release `latest`. */
  readonly version?: string;
  readonly execute: boolean;
  /** Upload what is there already, too. */
  readonly force: boolean;
  /** Take images out of the release. */
  readonly remove: boolean;
  /** Larger files are split. */
  readonly partBytes?: number;
};

/** An asset by what it is called in the release. */
export type AssetSize = { readonly name: string; readonly bytes: number };

export type ReleasedImage = {
  readonly image: string;
  readonly arch: Arch;
  readonly build: string;
  readonly upload: readonly AssetSize[];
  readonly keep: readonly AssetSize[];
  readonly remove: readonly AssetSize[];
  /** Absent: nothing was done, only planned. `cached`: there was nothing to do. */
  readonly outcome?: Outcome;
  readonly error?: ErrorRecord;
};

export type ReleaseResult = {
  readonly repository: string;
  readonly tag: string;
  /** What was found: `none`: there is no such release yet; `draft`: an earlier run did not end. */
  readonly found: 'none' | 'draft' | 'published';
  /** Its page; absent where there is none. */
  readonly url?: string;
  readonly executed: boolean;
  readonly images: readonly ReleasedImage[];
  /** Images that the release holds besides, as `NAME ARCH`. */
  readonly others: readonly string[];
  /** Images of the project that are not built, and were left out. */
  readonly absent: readonly string[];
};

export type ReleasedListRequest = ReleasePlace & { readonly version?: string };

/** An image that can be fetched. */
export type RemoteImage = {
  readonly image: string;
  readonly arch: Arch;
  readonly tag: string;
  readonly description: string;
  readonly build: string;
  /** ISO 8601 UTC. */
  readonly builtAt: string;
  /** Of the distribution inside: `Debian GNU/Linux 13.3`. */
  readonly system?: string;
  readonly formats: readonly string[];
  /** Of the images, without what lies beside them. */
  readonly bytes: number;
  /** Whether this very build is among the artifacts here. */
  readonly here: boolean;
};

export type ImageDownloadRequest = ReleasePlace & {
  /** `all`: every image of the release. */
  readonly images: readonly string[] | 'all';
  readonly arch: Arch | 'native' | 'all';
  readonly version?: string;
  /** A folder as the person wrote it. */
  readonly output: string;
  /** Put them among the artifacts instead. */
  readonly publish: boolean;
  /** The one public key to trust: a file as the person wrote it, or its line. */
  readonly key?: string;
  readonly allowUnsigned: boolean;
};

export type ImageDownload = {
  readonly image: string;
  readonly arch: Arch;
  readonly build: string;
  /** `cached`: it was here, whole. */
  readonly outcome: Outcome;
  /** Absolute paths of the images. */
  readonly paths: readonly string[];
  /** The trusted key that signed it. */
  readonly signedBy?: string;
  readonly error?: ErrorRecord;
};
