import { dirname, join } from 'node:path';
import type {
  ForgetRequest,
  RecordRequest,
  RegistryDeployment,
  RegistryImage,
  RegistryView,
} from '../cli/requests/registry.ts';
import { arches, archFromNode } from '../core/arch.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import { isDenied } from '../core/permission.ts';
import type { Deployment } from '../core/registry.ts';
import {
  currentBuild,
  currentBuilds,
  type FinishedBuild,
  finishedBuilds,
  refreshArtifacts,
} from '../store/artifacts.ts';
import { imageFolder, type StorePaths } from '../store/paths.ts';
import { changeRegistry, readRegistryOf, registeredImage, registryFile } from '../store/registry.ts';
import type { RegistryText } from '../store/registry-text.ts';
import { settleTree } from '../store/retire.ts';

/** What is here and where it was brought; of images what the tree has, whoever may write the file. */
export async function showRegistry(paths: StorePaths, signal: AbortSignal): Promise<RegistryView> {
  await settleTree(paths, signal).catch((error: unknown) => {
    if (!isDenied(error)) throw error;
  });
  const { deployments } = await readRegistryOf(paths);
  const images = (await currentBuilds(paths)).map((build) => imageOf(paths, build));
  const named = Object.entries(deployments).flatMap(([name, targets]) =>
    Object.entries(targets).map(([target, deployment]) => ({ name, target, ...deployment })),
  );
  return {
    file: registryFile(paths),
    images,
    deployments: named.map(({ name, target, ...deployment }) => deploymentOf(name, target, { deployment, images })),
  };
}

function imageOf(paths: StorePaths, { manifest }: FinishedBuild): RegistryImage {
  const { image: name, arch, build } = manifest;
  const entry = registeredImage(manifest);
  const folder = imageFolder(paths, name, arch);
  const files = Object.entries(entry.formats).map(([format, { file, bytes, digest }]) => ({
    ...{ format, path: join(folder, file), served: `images/${name}/${arch}/${file}` },
    ...{ bytes, sha256: hexOf(digest) },
  }));
  return {
    ...{ name, arch, build, path: join(paths.home, entry.path), builtAt: entry.built_at, cacheKey: entry.cache_key },
    ...{ source: entry.source, sha256: hexOf(entry.digest), files },
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, '');
}

/** Do something that writes the registry; where the person may not, that is the error. */
async function writing<T>(paths: StorePaths, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!isDenied(error)) throw error;
    const message = `you may not change ${registryFile(paths)}`;
    throw new IngotError({ code: 'AUTH', message, hint: 'run it as whoever builds the images', cause: error });
  }
}

type Around = { readonly deployment: Deployment; readonly images: readonly RegistryImage[] };

function deploymentOf(name: string, target: string, { deployment, images }: Around): RegistryDeployment {
  const { type, id, deployed_at: deployedAt, image_cache_key: cacheKey, arch, image, address } = deployment;
  const newest = images.filter((one) => one.name === name && (arch === undefined || one.arch === arch));
  const isCurrent = newest.some((one) => one.cacheKey === cacheKey);
  return {
    ...{ name, target, type, id, deployedAt, cacheKey },
    ...(arch === undefined ? {} : { arch }),
    ...(image === undefined ? {} : { image }),
    ...(address === undefined ? {} : { address }),
    state: newest.length === 0 ? 'gone' : isCurrent ? 'current' : 'stale',
  };
}

/** Make the images of the registry again from the manifests in the tree; deployments stay. */
export async function rebuildRegistry(paths: StorePaths, signal: AbortSignal): Promise<RegistryView> {
  await writing(paths, () => refreshArtifacts(paths, signal));
  return showRegistry(paths, signal);
}

type Machine = { readonly paths: StorePaths; readonly host: Pick<Host, 'arch' | 'now'> };

/** Write down that a build was brought to a target, in the place of what was there before. */
export async function recordDeployment(
  { paths, host }: Machine,
  request: RecordRequest,
  signal: AbortSignal,
): Promise<RegistryDeployment> {
  const { name, target, type, id, address } = request;
  // Under the registry's lock, so that the build is not taken away meanwhile.
  const record = async (registry: RegistryText) => {
    const { manifest } = await findRegistered(paths, request, host.arch);
    registry.setDeployment(name, target, {
      ...{ type, id, deployed_at: new Date(host.now()).toISOString(), image_cache_key: manifest.key },
      ...{ arch: manifest.arch, image: `${name}@${manifest.build}` },
      ...(address === undefined ? {} : { address }),
    });
  };
  await writing(paths, () => changeRegistry(paths, signal, record));
  const { deployments } = await showRegistry(paths, signal);
  const recorded = deployments.find((one) => one.name === name && one.target === target);
  if (recorded === undefined) throw new Error('what was recorded is not there');
  return recorded;
}

async function findRegistered(
  paths: StorePaths,
  { name, build, arch }: RecordRequest,
  hostArch: string,
): Promise<FinishedBuild> {
  const native = archFromNode(hostArch);
  const wanted = arch === 'native' ? [...new Set([native, ...arches])] : [arch];
  for (const one of wanted) {
    if (one === undefined) continue;
    const builds = await finishedBuilds(paths, name, one);
    const found =
      build === undefined
        ? await currentBuild(paths, name, one)
        : builds.find(({ manifest }) => manifest.build === build);
    if (found !== undefined) return found;
  }
  const what = `${name}${build === undefined ? '' : `@${build}`}${arch === 'native' ? '' : ` for ${arch}`}`;
  throw new IngotError({
    code: 'NOT_FOUND',
    message: `there is no finished ${what} in ${dirname(registryFile(paths))}`,
    hint: '`ingot registry` shows what is there',
  });
}

/** Strike a deployment off; gives what it was. */
export async function forgetDeployment(
  paths: StorePaths,
  { name, target }: ForgetRequest,
  signal: AbortSignal,
): Promise<RegistryDeployment> {
  const { deployments } = await showRegistry(paths, signal);
  const drop = (registry: RegistryText) => registry.dropDeployment(name, target);
  const isGone = await writing(paths, () => changeRegistry(paths, signal, drop));
  const found = deployments.find((one) => one.name === name && one.target === target);
  if (isGone && found !== undefined) return found;
  const targets = deployments.filter((one) => one.name === name).map((one) => one.target);
  throw new IngotError({
    code: 'NOT_FOUND',
    message: `the registry has no deployment of ${name} on ${target}`,
    hint: targets.length === 0 ? '`ingot registry` shows all' : `it has: ${targets.join(', ')}`,
  });
}
