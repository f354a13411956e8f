import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arch } from '../core/arch.ts';
import type { Json } from '../core/keys.ts';
import type { CheckRecord } from '../core/manifest.ts';
import type { History } from '../core/plan.ts';
import { writeDurable } from './durable.ts';
import type { StorePaths } from './paths.ts';

/** What a source was pinned to when it was last asked; undefined: never. */
export async function readPin(paths: StorePaths, sourceId: string): Promise<Json | undefined> {
  return readJson(join(paths.pins, `${sourceId}.json`)) as Promise<Json | undefined>;
}

/** Keep what a source was pinned to. */
export async function writePin(paths: StorePaths, sourceId: string, pin: Json): Promise<void> {
  await writeDurable({ path: join(paths.pins, `${sourceId}.json`), staging: paths.work }, `${JSON.stringify(pin)}\n`);
}

/** How the last build of an image went; for planning, which cannot wait. */
export function readHistory(paths: StorePaths, image: string, arch: Arch): History | undefined {
  try {
    return JSON.parse(readFileSync(join(paths.history, `${image}-${arch}.json`), 'utf8')) as History;
  } catch {
    return undefined;
  }
}

/** Keep how a build went. */
export async function writeHistory(paths: StorePaths, image: string, arch: Arch, history: History): Promise<void> {
  await writeDurable(
    { path: join(paths.history, `${image}-${arch}.json`), staging: paths.work },
    `${JSON.stringify(history)}\n`,
  );
}

/** Passed checks of an artifact, by the digest of what was asked. */
export async function readChecks(
  paths: StorePaths,
  sha256: string,
  asked: string,
): Promise<readonly CheckRecord[] | undefined> {
  return readJson(join(paths.checks, `${sha256}-${asked.slice(0, 16)}.json`)) as Promise<
    readonly CheckRecord[] | undefined
  >;
}

/** Keep passed checks. */
export async function writeChecks(
  paths: StorePaths,
  sha256: string,
  asked: string,
  checks: readonly CheckRecord[],
): Promise<void> {
  await writeDurable(
    { path: join(paths.checks, `${sha256}-${asked.slice(0, 16)}.json`), staging: paths.work },
    `${JSON.stringify(checks)}\n`,
  );
}

/** A record that cannot be read is as good as none: everything here can be found out again. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
