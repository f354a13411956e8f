import { join } from 'node:path';
import type { ListedImage } from '../cli/requests/images.ts';
import type { Context } from '../core/context.ts';
import type { CheckRecord } from '../core/manifest.ts';
import type { Lock } from '../core/plan.ts';
import type { ImageSpec } from '../core/spec.ts';
import { pinImages } from '../run/pin.ts';
import { planWithStore } from '../run/plan.ts';
import type { Workshop } from '../run/workshop.ts';
import { currentBuild, type FinishedBuild } from '../store/artifacts.ts';
import { imageFolder } from '../store/paths.ts';

/** Each of these images and what is finished of it; asks nothing of the outside world. */
export async function listImages(
  workshop: Workshop,
  specs: readonly ImageSpec[],
  ctx: Context,
): Promise<readonly ListedImage[]> {
  const lock = await pinImages(workshop, specs, { ask: 'none' }, ctx);
  return Promise.all(specs.map((spec) => listImage(workshop, spec, lock)));
}

async function listImage(workshop: Workshop, spec: ImageSpec, lock: Lock): Promise<ListedImage> {
  const { name: image, arch, pass, description } = spec;
  const build = await currentBuild(workshop.paths, image, arch);
  if (build === undefined) return { image, arch, pass, description, state: 'absent' };
  const { key } = planWithStore(workshop, spec, lock, { force: false });
  const state = key === build.manifest.key ? 'current' : 'stale';
  return { image, arch, pass, description, state, built: built(build, imageFolder(workshop.paths, image, arch)) };
}

function built({ manifest }: FinishedBuild, folder: string): NonNullable<ListedImage['built']> {
  return {
    build: manifest.build,
    at: manifest.builtAt,
    key: manifest.key,
    bytes: manifest.artifacts.reduce((sum, one) => sum + one.bytes, 0),
    checks: verdict(manifest.checks),
    paths: manifest.artifacts.map(({ file }) => join(folder, file)),
  };
}

/** What all checks together say; one that was skipped says nothing. */
export function verdict(checks: readonly CheckRecord[]): 'passed' | 'failed' | 'not run' {
  const ran = checks.filter(({ outcome }) => outcome !== 'skipped');
  if (ran.length === 0) return 'not run';
  return ran.every(({ outcome }) => outcome === 'done' || outcome === 'cached') ? 'passed' : 'failed';
}
