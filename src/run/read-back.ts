import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { DiskFile } from '../core/kinds.ts';
import type { ArtifactFile, CheckRecord } from '../core/manifest.ts';
import { compareArgv } from '../qemu/img.ts';
import { writtenAs } from './finish.ts';
import { withRoomForTools } from './room.ts';
import { type Workshop, withStep } from './workshop.ts';

export type ReadBack = {
  /** The disk that is booted, or the sealed one where none of the artifacts is. */
  readonly disk: DiskFile;
  readonly artifacts: readonly ArtifactFile[];
  /** Where they are. */
  readonly folder: string;
  /** For work files. */
  readonly scratch: string;
};

/** The name of the check in records. */
export const readBackCheck = 'read-back';

/**
 * Prove of each other artifact that it holds this disk, by reading it as those do who use it; fails with
 * CHECK_FAILED. Those that hold files and no disk are left out.
 */
export async function readBack(workshop: Workshop, request: ReadBack, ctx: Context): Promise<readonly CheckRecord[]> {
  const records: CheckRecord[] = [];
  for (const artifact of request.artifacts) {
    const file = join(request.folder, artifact.file);
    if (file === request.disk.path) continue;
    const { kind, options } = writtenAs(artifact, workshop);
    const format = kind?.boots(options);
    if (kind === undefined || format === 'iso' || (format === undefined && kind.unpack === undefined)) continue;
    const title = `${artifact.file} holds the same disk`;
    const { seconds } = await withStep({ id: `read-back-${artifact.file}`, title }, ctx, async (inner) => {
      if (format !== undefined) return compare(request.disk, { path: file, format }, artifact.file, inner);
      const output = join(request.scratch, `${artifact.file}.disk`);
      const bytes = async () => artifact.bytes;
      const unpack = async () => kind.unpack?.(options, { file, output }, inner);
      const inside = await withRoomForTools(output, bytes, unpack, inner);
      if (inside !== undefined) await compare(request.disk, { path: output, format: inside }, artifact.file, inner);
      await inner.host.files.remove(output);
    });
    const evidence = 'the same, byte for byte';
    records.push({ check: readBackCheck, title, outcome: 'done', seconds, evidence });
  }
  return records;
}

/** A file may hold a disk that is longer, where its format counts in larger units, when nothing is behind its end. */
async function compare(disk: DiskFile, file: DiskFile, name: string, { host, signal }: Context): Promise<void> {
  const { exitCode, stdout } = await host.run({ argv: compareArgv(disk, file) }, { signal, ok: [0, 1] });
  if (exitCode === 0) return;
  throw new IngotError({
    code: 'CHECK_FAILED',
    message: `${name} does not hold the disk of this build`,
    hint: 'this is a fault of the program that wrote it, or of the machine: build again, and tell us if it stays',
    detail: stdout.split('\n').filter((line) => line !== ''),
  });
}
