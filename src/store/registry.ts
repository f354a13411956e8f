import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../core/errors.ts';
import type { Manifest } from '../core/manifest.ts';
import type { RegisteredImage, Registry } from '../core/registry.ts';
import { withLock } from '../host/lock.ts';
import { writeDurable } from './durable.ts';
import type { StorePaths } from './paths.ts';
import { type NamedImage, openRegistryText, type RegistryText } from './registry-text.ts';

/** Where the registry of a home lies. */
export function registryFile({ home }: Pick<StorePaths, 'home'>): string {
  return join(home, 'registry.yml');
}

/** What the registry says now; nothing where there is none. Fails when it is broken or of a later version. */
export async function readRegistryOf(paths: StorePaths): Promise<Registry> {
  return (await openRegistry(paths)).data;
}

/** Change the registry, while nobody else does; what it already says is not written again. */
export async function changeRegistry<T>(
  paths: StorePaths,
  signal: AbortSignal,
  change: (registry: RegistryText) => T | Promise<T>,
): Promise<T> {
  return withLock(join(paths.locks, 'registry.lock'), { signal }, async () => {
    const registry = await openRegistry(paths);
    const before = registry.text();
    const result = await change(registry);
    const after = registry.text();
    if (after !== before) await writeDurable({ path: registryFile(paths), staging: paths.work }, after);
    return result;
  });
}

/** Have the registry tell of these builds, the current ones of all images, and of no others. */
export async function registerImages(
  paths: StorePaths,
  manifests: readonly Manifest[],
  signal: AbortSignal,
): Promise<void> {
  await changeRegistry(paths, signal, (registry) => registry.setImages(manifests.map(namedImage)));
}

/** Whether the registry tells of these builds, and of no others. */
export async function isRegistered(paths: StorePaths, manifests: readonly Manifest[]): Promise<boolean> {
  const registry = await openRegistry(paths);
  const before = registry.text();
  registry.setImages(manifests.map(namedImage));
  return registry.text() === before;
}

async function openRegistry(paths: StorePaths): Promise<RegistryText> {
  const file = registryFile(paths);
  return openRegistryText(file, await textOf(file));
}

/** Far above any honest registry. */
const mostBytes = 16 * 1024 * 1024;

async function textOf(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return '';
  if (!found.isFile() || found.size > mostBytes) {
    throw new IngotError({
      code: 'SPEC_INVALID',
      message: found.isFile() ? `${file} has ${found.size} bytes: no registry is that long` : `${file} is not a file`,
      hint: 'move it away, and run `ingot registry rebuild`',
    });
  }
  return readFile(file, 'utf8');
}

function namedImage(manifest: Manifest): NamedImage {
  return { name: manifest.image, arch: manifest.arch, entry: registeredImage(manifest) };
}

/** What the registry says of a build. */
export function registeredImage(manifest: Manifest): RegisteredImage {
  const { image, arch, artifacts } = manifest;
  const files = artifacts.map(({ file, bytes, sha256 }) => {
    const ending = file.startsWith(`${image}.`) ? file.slice(image.length + 1) : file;
    return [ending, { file, bytes, digest: `sha256:${sha256}` }] as const;
  });
  const first = artifacts[0];
  return {
    path: ['artifacts', 'images', image, arch, ...(first === undefined ? [] : [first.file])].join('/'),
    built_at: manifest.builtAt,
    cache_key: manifest.key,
    image: `${image}@${manifest.build}`,
    source: [manifest.source.kind, manifest.base?.name].filter((word) => word !== undefined).join(' '),
    digest: first === undefined ? '' : `sha256:${first.sha256}`,
    formats: Object.fromEntries(files),
  };
}
