import { join } from 'node:path';
import type { Host } from '../core/host.ts';
import { currentBuilds, refreshArtifacts } from '../store/artifacts.ts';
import { type CardFacts, isCard } from '../store/card-list.ts';
import { onShelf, type StorePaths } from '../store/paths.ts';
import { readCardFacts, writeCardFacts } from '../store/served-files.ts';

/** Find out what the images for SD cards unpack to, where that is not known yet, and list them. */
export async function lookIntoCards(paths: StorePaths, host: Pick<Host, 'run'>, signal: AbortSignal): Promise<void> {
  const known = await readCardFacts(paths);
  const found = new Map<string, CardFacts>();
  for (const { folder, manifest } of await currentBuilds(onShelf(paths, 'images'))) {
    for (const { file, sha256 } of manifest.artifacts.filter((one) => isCard(manifest, one.file))) {
      const facts = known.get(sha256) ?? (await unpackedFacts(join(folder, file), host, signal));
      found.set(sha256, facts);
    }
  }
  if ([...found.keys()].every((sha256) => known.has(sha256))) return;
  await writeCardFacts(paths, found);
  await refreshArtifacts(paths, signal);
}

async function unpackedFacts(path: string, { run }: Pick<Host, 'run'>, signal: AbortSignal): Promise<CardFacts> {
  const { stdout } = await run({ name: 'unpack', argv: unpackedFactsArgv(path) }, { signal });
  const [, size] = /^(\d+)$/m.exec(stdout) ?? [];
  const [, sha256] = /^([0-9a-f]{64}) {2}-$/m.exec(stdout) ?? [];
  if (size === undefined || sha256 === undefined) throw new Error(`no size and digest of ${path}: ${stdout}`);
  return { bytes: Number(size), sha256 };
}

const unpackers: Readonly<Record<string, string>> = { xz: 'xz -dc', gz: 'gzip -dc', zst: 'zstd -dcq' };

/** Prints the size and the SHA-256 of what a file unpacks to, in either order. */
export function unpackedFactsArgv(path: string): readonly [string, ...string[]] {
  const unpack = unpackers[path.split('.').at(-1) ?? ''] ?? 'cat';
  const script = `exec 3>&1; ${unpack} <"$1" | tee >(wc -c >&3) | sha256sum >&3`;
  return ['bash', '-o', 'pipefail', '-c', script, 'unpack', path];
}
