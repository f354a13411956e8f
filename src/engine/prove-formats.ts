import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { isDisk } from '../core/kinds.ts';
import { bootMedia, writtenAs } from '../run/finish.ts';
import type { Workshop } from '../run/workshop.ts';
import type { FinishedBuild } from '../store/artifacts.ts';
import { bringRaw } from './convert-input.ts';

/** Read the files of a build that no other program here reads, and compare their disk with that of one which QEMU reads. */
export async function proveFormats(
  workshop: Workshop,
  { folder, manifest }: FinishedBuild,
  signal: AbortSignal,
): Promise<void> {
  const { host } = workshop;
  const proofs = manifest.artifacts.flatMap((artifact) => {
    const { kind, options } = writtenAs(artifact, workshop);
    return kind?.prove === undefined ? [] : [{ kind, options, file: join(folder, artifact.file) }];
  });
  if (proofs.length === 0) return;
  const ctx: Context = { host, signal, emit: () => undefined, step: 'verify' };
  await host.withTemporary(async (scratch) => {
    const known = bootMedia(workshop, folder, manifest.artifacts).find(isDisk);
    const disk = known === undefined ? undefined : await bringRaw(known.path, scratch, ctx);
    for (const { kind, options, file } of proofs) await kind.prove?.(options, { file, scratch, disk }, ctx);
  });
}
