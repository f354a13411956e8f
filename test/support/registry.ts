import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

// Reads as any other program does: the file, links and manifests, nothing of the store.

type Entry = Readonly<Record<'path' | 'built_at' | 'cache_key' | 'image' | 'digest', string>>;
type Deployed = { readonly image?: string; readonly id: string };
type Listed<T> = Readonly<Record<string, Readonly<Record<string, T>>>>;
type Read = { readonly version: number; readonly images: Listed<Entry>; readonly deployments: Listed<Deployed> };
type Manifest = {
  readonly build: string;
  readonly key: string;
  readonly builtAt: string;
  readonly artifacts: readonly { readonly file: string; readonly sha256: string }[];
};

/** `registry.yml` of a home; undefined where there is none. Throws when it is not whole. */
export async function readRegistryFile(home: string): Promise<Read | undefined> {
  const text = await readFile(join(home, 'registry.yml'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const read = parse(text) as Read | null;
  if (read?.version !== 1 || typeof read.images !== 'object' || typeof read.deployments !== 'object') {
    throw new Error(`registry.yml is not whole: ${JSON.stringify(text.slice(-60))}`);
  }
  return read;
}

/** Where the registry and the tree disagree: what stable names stand for, and builds that are deployed. */
export async function registryProblems(home: string): Promise<readonly string[]> {
  const read = await readRegistryFile(home).catch((error: unknown) => String(error));
  if (typeof read === 'string') return [read];
  const images = join(home, 'artifacts', 'images');
  const wanted = await entriesOfTree(images);
  const listed = new Map(
    Object.entries(read?.images ?? {}).flatMap(([image, archs]) =>
      Object.entries(archs).map(([arch, { path, built_at, cache_key, image: build, digest }]) => [
        `${image}/${arch}`,
        [path, built_at, cache_key, build, digest].join(' '),
      ]),
    ),
  );
  const names = new Set([...wanted.keys(), ...listed.keys()]);
  const differing = [...names].filter((name) => wanted.get(name) !== listed.get(name));
  return [
    ...differing.map((name) => `${name}: the registry has ${listed.get(name)}, the tree ${wanted.get(name)}`),
    ...(await lostDeployments(images, read?.deployments ?? {})),
  ];
}

async function entriesOfTree(images: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const image of await readdir(images).catch(() => [])) {
    for (const arch of (await readdir(join(images, image))).filter((name) => !name.startsWith('.'))) {
      const target = await readlink(join(images, image, arch)).catch(() => undefined);
      if (target === undefined) {
        found.set(`${image}/${arch}`, 'a folder where a link has to be');
        continue;
      }
      const folder = join(images, image, target);
      const { build, key, builtAt, artifacts } = JSON.parse(
        await readFile(join(folder, 'manifest.json'), 'utf8'),
      ) as Manifest;
      const [first] = artifacts;
      const path = `artifacts/images/${image}/${arch}/${first?.file}`;
      found.set(`${image}/${arch}`, [path, builtAt, key, `${image}@${build}`, `sha256:${first?.sha256}`].join(' '));
    }
  }
  return found;
}

async function lostDeployments(images: string, deployments: Listed<Deployed>): Promise<readonly string[]> {
  const lost: string[] = [];
  for (const [name, targets] of Object.entries(deployments)) {
    for (const [target, { image }] of Object.entries(targets)) {
      const build = join(images, name, '.builds', `x86_64-${image?.split('@')[1]}`);
      if ((await stat(build).catch(() => undefined)) === undefined)
        lost.push(`${image}, deployed on ${target}, is gone`);
    }
  }
  return lost;
}
