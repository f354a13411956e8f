import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { digest, type Json } from '../core/keys.ts';
import { type DiskFile, isDisk } from '../core/kinds.ts';
import type { ArtifactFile, CheckRecord, InstalledPackage } from '../core/manifest.ts';
import type { ImageSpec } from '../core/spec.ts';
import { readChecks, writeChecks } from '../store/records.ts';
import { checkArtifact } from './check.ts';
import type { BootArtifact } from './finish.ts';
import { readBack } from './read-back.ts';
import type { Workshop } from './workshop.ts';

export type Proof = {
  readonly spec: ImageSpec;
  /** What is booted: each of them is to hold what the checks say. */
  readonly media: readonly BootArtifact[];
  /** The disk that all files were written from, while it is there. */
  readonly sealed?: DiskFile;
  /** All files of the build, and where they are. */
  readonly artifacts: readonly ArtifactFile[];
  readonly folder: string;
  readonly packages: readonly InstalledPackage[];
  readonly scratch: string;
  readonly build: string;
  /** Run the checks though their results are remembered. */
  readonly force: boolean;
};

/**
 * Run the image's checks on finished artifacts and read the others back, or remember how that went for the same bytes;
 * fails if one fails.
 */
export async function proveMedia(workshop: Workshop, proof: Proof, ctx: Context): Promise<readonly CheckRecord[]> {
  const checks: CheckRecord[] = [];
  for (const medium of proof.media) checks.push(...(await proveOne(workshop, proof, medium, ctx)));
  return checks;
}

async function proveOne(
  workshop: Workshop,
  proof: Proof,
  medium: BootArtifact,
  ctx: Context,
): Promise<readonly CheckRecord[]> {
  const { spec } = proof;
  const mark = proof.media.length > 1 && !isDisk(medium) ? 'ISO' : undefined;
  const asked = digest([
    spec.firmware,
    ...(mark === undefined ? [] : [mark]),
    spec.checks.map(({ kind, options }) => [kind, versionOf(workshop, kind), options]),
    proof.artifacts.map(({ sha256 }) => sha256),
  ] as Json);
  const remembered = proof.force ? undefined : await readChecks(workshop.paths, medium.sha256, asked);
  if (remembered !== undefined) {
    for (const [index, check] of remembered.entries()) {
      const id = `check-${mark ?? ''}${index}-${check.check}`;
      ctx.emit({ type: 'step.end', id, title: check.title, outcome: 'cached', seconds: 0 });
    }
    return remembered;
  }
  const disk = isDisk(medium) ? medium : proof.media.some(isDisk) ? undefined : proof.sealed;
  const held = disk === undefined ? [] : await readBack(workshop, { ...proof, disk }, ctx);
  const report = await checkArtifact(
    {
      medium: { path: medium.path, format: medium.format },
      ...(mark === undefined ? {} : { mark }),
      arch: spec.arch,
      firmware: spec.firmware,
      uses: spec.checks,
      kinds: workshop.kinds,
      memory: spec.memory,
      cpus: spec.cpus,
      virtualization: spec.virtualization,
      secureBoot: spec.secureBoot,
      packages: proof.packages.map(({ name }) => name),
      scratch: join(proof.scratch, `checks${mark ?? ''}`),
      logs: join(workshop.paths.builds, proof.build, ...(mark === undefined ? [] : [mark.toLowerCase()])),
      state: join(workshop.paths.home, 'state'),
    },
    ctx,
  );
  const proven = report.results.map(({ check, title, outcome, seconds, evidence }) => ({
    check,
    title,
    outcome,
    seconds,
    ...(evidence === undefined ? {} : { evidence }),
  }));
  const checks = [...held, ...proven];
  await writeChecks(workshop.paths, medium.sha256, asked, checks);
  return checks;
}

function versionOf(workshop: Workshop, kind: string): number {
  return workshop.kinds.checks.get(kind)?.version ?? 0;
}
