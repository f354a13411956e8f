import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

// What a build tells, on its stdout (`--json`) and in its manifest.

type Said = { readonly type?: string; readonly id?: string; readonly build?: string; readonly outcome?: string };

function eventsOf(stdout: string): readonly Said[] {
  // The last line of a killed program may be half.
  const lines = stdout.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  return lines.map((line) => JSON.parse(line) as Said);
}

/** The build's id. */
export function buildOf(stdout: string): string | undefined {
  return eventsOf(stdout).find(({ build }) => build !== undefined)?.build;
}

/** How the build ended, if it did. */
export function outcomeOf(stdout: string): string | undefined {
  return eventsOf(stdout).findLast(({ type }) => type === 'build.end')?.outcome;
}

/** The step that began or ended last, by its id. */
export function lastStep(stdout: string): string {
  const last = eventsOf(stdout).findLast(({ type }) => type?.startsWith('step.') || type?.startsWith('build.'));
  return last?.id ?? last?.type ?? 'start';
}

type Manifest = {
  readonly steps: readonly { readonly id: string; readonly key: string; readonly outcome: string }[];
  readonly artifacts: readonly { readonly file: string; readonly sha256: string }[];
};

/** The manifest that an image's stable name leads to. */
export async function readManifest(home: string, image: string): Promise<Manifest | undefined> {
  for (const arch of ['x86_64', 'aarch64']) {
    const path = join(home, 'artifacts', 'images', image, arch, 'manifest.json');
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return JSON.parse(text) as Manifest;
  }
  return undefined;
}
