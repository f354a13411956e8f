import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Manifest } from '../core/manifest.ts';
import { type CardFacts, cardList, icon } from './card-list.ts';
import { linkTarget, swapLink, writeDurable } from './durable.ts';
import type { StorePaths } from './paths.ts';
import { openFolders, sumsFile } from './served-names.ts';
import { productIndex } from './streams.ts';

type Build = { readonly folder: string; readonly manifest: Manifest };

/** A file that was published as it is. */
export type ForeignFile = { readonly path: string; readonly bytes: number; readonly sha256: string };

/** What there is to serve: all finished builds, the newest first, and the images that stable names stand for. */
export type Served = {
  readonly images: readonly Build[];
  /** What installs images: ISOs, netboot folders. */
  readonly media: readonly Build[];
  readonly current: readonly Build[];
};

/** An unnamed file stays for so long: somebody may be reading it in pieces. */
const unnamedMs = 86_400_000;

export function blobsFolder({ artifacts }: Pick<StorePaths, 'artifacts'>): string {
  return join(artifacts, 'blobs', 'sha256');
}

/**
 * Bring up to date what other programs find in the served tree: files by digest, lists of checksums, the index of
 * products, the list for Raspberry Pi Imager. For whoever holds the lock of the artifacts; gives the foreign files.
 */
export async function refreshServed(paths: StorePaths, served: Served): Promise<readonly ForeignFile[]> {
  const foreign = await foreignFiles(paths);
  const all = [...served.images, ...served.media];
  await refreshBlobs(paths, all, foreign);
  for (const { folder, manifest } of all) await writeChanged(paths, join(folder, sumsFile), buildSums(manifest));
  for (const [folder, text] of foreignSums(foreign)) {
    await writeChanged(paths, join(paths.artifacts, folder, sumsFile), text);
  }
  const images = served.images.map(({ manifest }) => manifest);
  const cards = cardList(
    served.current.map(({ manifest }) => manifest),
    await readCardFacts(paths),
  );
  const lists = { ...productIndex(images), 'os_list.json': cards, 'icon.svg': icon };
  for (const [path, text] of Object.entries(lists)) await writeChanged(paths, join(paths.artifacts, path), text);
  return foreign;
}

/** The list of checksums that lies in the folder of a build. */
export function buildSums({ artifacts, sidecars = [] }: Manifest): string {
  return sumsText([...artifacts, ...sidecars].map(({ file, sha256 }) => [file, sha256]));
}

function foreignSums(foreign: readonly ForeignFile[]): ReadonlyMap<string, string> {
  const folders = Map.groupBy(foreign, ({ path }) => dirname(path));
  return new Map(
    [...folders].map(([folder, files]) => [
      folder,
      sumsText(files.map(({ path, sha256 }) => [path.slice(folder.length + 1), sha256])),
    ]),
  );
}

function sumsText(files: readonly (readonly [file: string, sha256: string])[]): string {
  const lines = files.map(([file, sha256]) => `${sha256}  ${file}\n`);
  return lines.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join('');
}

/** A file that is as it should be stays as it is: readers that keep it need not fetch it again. */
async function writeChanged(paths: StorePaths, path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return;
  await writeDurable({ path, staging: paths.work }, text);
}

async function foreignFiles(paths: StorePaths): Promise<readonly ForeignFile[]> {
  const found = await Promise.all(openFolders.map((folder) => foreignBelow(paths, folder)));
  return found.flat().sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function foreignBelow(paths: StorePaths, folder: string): Promise<readonly ForeignFile[]> {
  const entries = await readdir(join(paths.artifacts, folder), { withFileTypes: true }).catch(() => []);
  // A folder of builds holds nothing else.
  if (entries.some(({ name }) => name === '.builds')) return [];
  const found = entries.map(async (entry): Promise<readonly ForeignFile[]> => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return foreignBelow(paths, path);
    if (!entry.isSymbolicLink()) return [];
    const sha256 = blobOf((await linkTarget(join(paths.artifacts, path))) ?? '');
    const facts = sha256 && (await lstat(join(blobsFolder(paths), sha256)).catch(() => undefined));
    return facts ? [{ path, bytes: facts.size, sha256: sha256 ?? '' }] : [];
  });
  return (await Promise.all(found)).flat();
}

/** The digest that a link of the tree leads to. */
export function blobOf(target: string): string | undefined {
  return /^(?:\.\.\/)+blobs\/sha256\/([0-9a-f]{64})$/.exec(target)?.[1];
}

async function refreshBlobs(
  paths: StorePaths,
  builds: readonly Build[],
  foreign: readonly ForeignFile[],
): Promise<void> {
  const folder = blobsFolder(paths);
  const wanted = new Map<string, string>();
  for (const { folder: from, manifest } of builds) {
    for (const { file, sha256 } of [...manifest.artifacts, ...(manifest.sidecars ?? [])]) {
      if (/^[0-9a-f]{64}$/.test(sha256) && !wanted.has(sha256)) wanted.set(sha256, relative(folder, join(from, file)));
    }
  }
  const named = new Set(foreign.map(({ sha256 }) => sha256));
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink() ? !wanted.has(entry.name) : !named.has(entry.name) && (await isForgotten(path))) {
      await rm(path, { force: true });
    }
  }
  const whole = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
  for (const [sha256, target] of wanted) {
    const path = join(folder, sha256);
    if (whole.has(sha256) || (await linkTarget(path)) === target) continue;
    await swapLink({ path, staging: paths.work }, target);
  }
}

async function isForgotten(path: string): Promise<boolean> {
  const facts = await lstat(path).catch(() => undefined);
  return facts !== undefined && Date.now() - facts.mtimeMs > unnamedMs;
}

const cardFactsFile = 'cards.json';

/** What is known of the disks in images for SD cards, by the digests of the packed files. */
export async function readCardFacts(paths: StorePaths): Promise<ReadonlyMap<string, CardFacts>> {
  try {
    const text = await readFile(join(paths.checks, cardFactsFile), 'utf8');
    return new Map(Object.entries(JSON.parse(text) as Record<string, CardFacts>));
  } catch {
    return new Map();
  }
}

export async function writeCardFacts(paths: StorePaths, facts: ReadonlyMap<string, CardFacts>): Promise<void> {
  const path = join(paths.checks, cardFactsFile);
  await writeDurable({ path, staging: paths.work }, JSON.stringify(Object.fromEntries(facts)));
}
