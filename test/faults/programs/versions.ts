import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../../../src/core/manifest.ts';
import { withRoom } from '../../../src/core/space.ts';
import { manifestFile, manifestText, publishBuild } from '../../../src/store/artifacts.ts';
import { withLedger } from '../../../src/store/ledger.ts';
import type { StorePaths } from '../../../src/store/paths.ts';

// Nothing but Node's own, the store and what that imports: a guest of the power cut publishes with it too.

/** The sizes of a published version's two files. */
const sizes = { raw: 60_000, qcow2: 24_000 };

/** Publish version `n` of an image as a build does: stage in its work folder, then hand it to the store. */
export async function publishVersion(paths: StorePaths, image: string, n: number): Promise<Manifest> {
  const build = versionName(n);
  const { signal } = new AbortController();
  return withLedger(paths, build, signal, async (ledger) => {
    const folder = join(paths.work, build);
    await ledger.record({ folder });
    const staged = join(folder, 'artifacts');
    const manifest = await withRoom(staged, sizes.raw + sizes.qcow2, () => stage(staged, image, build));
    await publishBuild(paths, staged, manifest, signal);
    return manifest;
  });
}

async function stage(staged: string, image: string, build: string): Promise<Manifest> {
  await mkdir(staged, { recursive: true });
  const artifacts = [];
  for (const [format, bytes] of Object.entries(sizes)) {
    const data = randomBytes(bytes);
    const file = `${image}.${format}`;
    const sha256 = createHash('sha256').update(data).digest('hex');
    await writeFile(join(staged, file), data);
    await writeFile(join(staged, `${file}.sha256`), `${sha256}  ${file}\n`);
    artifacts.push({ file, format, bytes, sha256 });
  }
  const manifest: Manifest = { ...empty, image, build, key: build, artifacts };
  await writeFile(join(staged, manifestFile), manifestText(manifest));
  return manifest;
}

/** The build id of version `n`; sorts as the numbers do. */
export function versionName(n: number): string {
  return `v${String(n).padStart(6, '0')}`;
}

/** The number of a build id that `versionName` gave; -1 for no build. */
export function versionNumber(build: string | undefined): number {
  return build === undefined ? -1 : Number(build.slice(1));
}

const empty: Omit<Manifest, 'image' | 'build' | 'key' | 'artifacts'> = {
  schemaVersion: 1,
  arch: 'x86_64',
  description: '',
  builtAt: '2026-01-01T00:00:00.000Z',
  seconds: 0,
  source: { kind: 'fixture', options: {}, pin: null },
  pins: {},
  system: {},
  packages: [],
  tools: {},
  steps: [],
  checks: [],
};
