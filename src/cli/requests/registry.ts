import type { Arch } from '../../core/arch.ts';

/** The images that are here and where they were brought. */
export type RegistryView = {
  /** Absolute path of `registry.yml`. */
  readonly file: string;
  /** By name, then architecture. */
  readonly images: readonly RegistryImage[];
  /** By image, then target. */
  readonly deployments: readonly RegistryDeployment[];
};

/** The newest build of an image. */
export type RegistryImage = {
  readonly name: string;
  readonly arch: Arch;
  readonly build: string;
  /** Of its first file; absolute. */
  readonly path: string;
  /** ISO 8601 UTC. */
  readonly builtAt: string;
  readonly cacheKey: string;
  /** `packages`, `image debian-13/debian-13.qcow2`. */
  readonly source: string;
  readonly sha256: string;
  /** Of all its files. */
  readonly bytes: number;
  readonly files: readonly RegistryFile[];
};

export type RegistryFile = {
  /** What its name has after the image's: `qcow2`, `raw.zst`. */
  readonly format: string;
  /** Absolute. */
  readonly path: string;
  /** Below the address of `ingot serve`. */
  readonly served: string;
  readonly bytes: number;
  readonly sha256: string;
};

export type RegistryDeployment = {
  readonly name: string;
  readonly target: string;
  readonly type: string;
  readonly id: string;
  /** ISO 8601 UTC. */
  readonly deployedAt: string;
  readonly cacheKey: string;
  readonly arch?: Arch;
  /** `debian-13@20261121-0412-7c1e` */
  readonly image?: string;
  readonly address?: string;
  /** `stale`: the newest build has another key; `gone`: there is no such image here. */
  readonly state: 'current' | 'stale' | 'gone';
};

export type RecordRequest = {
  readonly name: string;
  /** Undefined: the newest. */
  readonly build?: string;
  readonly arch: Arch | 'native';
  readonly target: string;
  readonly type: string;
  readonly id: string;
  readonly address?: string;
};

export type ForgetRequest = { readonly name: string; readonly target: string };
