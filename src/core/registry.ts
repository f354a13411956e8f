import type { Arch } from './arch.ts';

/** `registry.yml` as data: its words are those of the file, which other programs read too. */
export type Registry = {
  /** By name and architecture: the build that the stable name stands for. */
  readonly images: Readonly<Record<string, Partial<Readonly<Record<Arch, RegisteredImage>>>>>;
  /** By image and target: where an image was brought. */
  readonly deployments: Readonly<Record<string, Readonly<Record<string, Deployment>>>>;
};

export type RegisteredImage = {
  /** Of its first file, from the folder of the registry on. */
  readonly path: string;
  /** ISO 8601 UTC. */
  readonly built_at: string;
  readonly cache_key: string;
  /** The build, as commands take it: `debian-13@20261121-0412-7c1e`. */
  readonly image: string;
  /** What it started from: `packages`, `image debian-13/debian-13.qcow2`. */
  readonly source: string;
  /** Of its first file: `sha256:HEX`. */
  readonly digest: string;
  /** Its files by what their names have after the image's; they lie beside the first one. */
  readonly formats: Readonly<Record<string, RegisteredFile>>;
};

export type RegisteredFile = { readonly file: string; readonly bytes: number; readonly digest: string };

export type Deployment = {
  /** The kind of target: `proxmox`, `aws`. */
  readonly type: string;
  /** What the target calls it. */
  readonly id: string;
  /** ISO 8601 UTC. */
  readonly deployed_at: string;
  readonly image_cache_key: string;
  /** This and the next two may be absent in what people write. */
  readonly arch?: Arch;
  /** The build, as commands take it. */
  readonly image?: string;
  /** Where a machine that runs it is reached. */
  readonly address?: string;
};
