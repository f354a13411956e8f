import { pathToFileURL } from 'node:url';
import type { RegistryDeployment, RegistryFile, RegistryImage, RegistryView } from '../requests/registry.ts';

/** An image as other programs get it; the words are those of `registry.yml`, paths are absolute. */
export type ImageEntry = {
  readonly path: string;
  readonly url: string;
  readonly built_at: string;
  readonly cache_key: string;
  readonly image: string;
  readonly build: string;
  readonly source: string;
  /** `sha256:HEX` */
  readonly digest: string;
  readonly formats: Readonly<Record<string, FileEntry>>;
};

export type FileEntry = {
  readonly path: string;
  readonly url: string;
  readonly bytes: number;
  readonly digest: string;
};

export type DeploymentEntry = {
  readonly type: string;
  readonly id: string;
  readonly deployed_at: string;
  readonly image_cache_key: string;
  readonly state: RegistryDeployment['state'];
  readonly arch?: string;
  readonly image?: string;
  readonly address?: string;
};

/** Where the artifacts are served; absent: addresses are those of the files here. */
export type At = { readonly url?: string | undefined };

/** By name and architecture. */
export function imageEntries(
  { images }: RegistryView,
  at: At,
): Readonly<Record<string, Readonly<Record<string, ImageEntry>>>> {
  return nested(images.map((image) => [image.name, image.arch, imageEntry(image, at)]));
}

/** By image and target. */
export function deploymentEntries({
  deployments,
}: RegistryView): Readonly<Record<string, Readonly<Record<string, DeploymentEntry>>>> {
  return nested(deployments.map((one) => [one.name, one.target, deploymentEntry(one)]));
}

export function imageEntry(image: RegistryImage, at: At): ImageEntry {
  const files = image.files.map((file) => [file.format, fileEntry(file, at)] as const);
  const first = files[0]?.[1];
  return {
    path: image.path,
    url: first?.url ?? '',
    built_at: image.builtAt,
    cache_key: image.cacheKey,
    image: `${image.name}@${image.build}`,
    build: image.build,
    source: image.source,
    digest: first?.digest ?? '',
    formats: Object.fromEntries(files),
  };
}

function fileEntry({ path, served, bytes, sha256 }: RegistryFile, { url }: At): FileEntry {
  const address = url === undefined ? pathToFileURL(path).href : `${url.replace(/\/+$/, '')}/${served}`;
  return { path, url: address, bytes, digest: `sha256:${sha256}` };
}

export function deploymentEntry(deployment: RegistryDeployment): DeploymentEntry {
  const { type, id, deployedAt, cacheKey, state, arch, image, address } = deployment;
  return {
    ...{ type, id, deployed_at: deployedAt, image_cache_key: cacheKey, state },
    ...(arch === undefined ? {} : { arch }),
    ...(image === undefined ? {} : { image }),
    ...(address === undefined ? {} : { address }),
  };
}

function nested<T>(entries: readonly (readonly [string, string, T])[]): Record<string, Record<string, T>> {
  const found: Record<string, Record<string, T>> = {};
  for (const [outer, inner, value] of entries) found[outer] = { ...found[outer], [inner]: value };
  return found;
}
