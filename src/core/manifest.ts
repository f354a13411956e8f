import type { Arch } from './arch.ts';
import type { Outcome } from './events.ts';
import type { Json } from './keys.ts';
import type { Inputs } from './plan.ts';

/** What is known of a finished build; lies beside the artifacts as `manifest.json`. Additive changes only. */
export type Manifest = {
  readonly schemaVersion: 1;
  readonly image: string;
  readonly arch: Arch;
  readonly site?: string;
  readonly description: string;
  /** What the image said of it when this was built. */
  readonly keep?: Keep;
  /** Also the name of its folder under `builds/`. */
  readonly build: string;
  readonly key: string;
  /** ISO 8601 UTC. */
  readonly builtAt: string;
  readonly seconds: number;
  /** Of the project's folder; absent outside git. */
  readonly git?: { readonly commit: string; readonly dirty: boolean };
  readonly source: { readonly kind: string; readonly options: Json; readonly pin: Json };
  /** SHA-256 of what the files of the project said, values filled in. This and the next three: absent in manifests of earlier versions. */
  readonly spec?: string;
  /** What the image starts from, where that is a file or another image. */
  readonly base?: Material;
  /** Other files from elsewhere that are in it, by their digests. */
  readonly materials?: readonly Material[];
  readonly builder?: Builder;
  readonly pins: Readonly<Record<string, string>>;
  /** Of os-release(5) inside: `{ ID: 'debian', VERSION_ID: '13' }`; `DEBIAN_VERSION` is Debian's point release. */
  readonly system: Readonly<Record<string, string>>;
  readonly packages: readonly InstalledPackage[];
  /** Versions of the programs of the build machine, by name. */
  readonly tools: Readonly<Record<string, string>>;
  readonly steps: readonly ManifestStep[];
  readonly artifacts: readonly ArtifactFile[];
  /** Files that steps brought out of the image; absent in manifests of earlier versions. */
  readonly sidecars?: readonly SidecarFile[];
  readonly checks: readonly CheckRecord[];
};

/** How long finished builds of an image stay: each that one of the two speaks for. */
export type Keep = {
  /** The newest so many. */
  readonly last?: number | undefined;
  /** Those that are no more days old. */
  readonly days?: number | undefined;
};

export type InstalledPackage = {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** Whose database names it; absent in manifests of earlier versions. */
  readonly type?: 'deb' | 'rpm' | 'apk';
  /** What it was built from, where that has another name or version: `glibc@2.41-12`. */
  readonly source?: string;
};

/** Bytes from elsewhere. */
export type Material = {
  readonly name: string;
  readonly uri?: string;
  /** By algorithm: `sha256`, `sha512`. */
  readonly digest: Readonly<Record<string, string>>;
};

/** What ran the build: this program and its machine, which is not named. */
export type Builder = { readonly ingot: string; readonly platform: string; readonly arch: string };

export type ManifestStep = {
  readonly id: string;
  readonly title: string;
  readonly key: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** What decided its bytes, for comparing builds; values of secrets are not among them. */
  readonly inputs?: Inputs;
};

export type ArtifactFile = {
  /** Its name, without a folder. */
  readonly file: string;
  readonly format: string;
  /** How the format was written; absent in manifests of earlier versions. */
  readonly options?: Json;
  readonly bytes: number;
  readonly sha256: string;
};

export type SidecarFile = Pick<ArtifactFile, 'file' | 'bytes' | 'sha256'>;

export type CheckRecord = {
  readonly check: string;
  readonly title: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  readonly evidence?: string;
};
