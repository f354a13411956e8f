import { join } from 'node:path';
import { z } from 'zod';
import type { Arch } from '../../core/arch.ts';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { Json } from '../../core/keys.ts';
import { type DiskFile, isDisk } from '../../core/kinds.ts';
import { type FinishedBuild, findByKey, markUsed } from '../../store/artifacts.ts';
import { bootMedia, writtenAs } from '../finish.ts';
import { withRoomForTools } from '../room.ts';
import type { Workshop } from '../workshop.ts';

export type ParentRequest = {
  /** The image that is made from it; they have one architecture. */
  readonly spec: { readonly name: string; readonly arch: Arch };
  /** What the source was pinned to: keys of images by name. */
  readonly pin: Json;
  /** A folder for work files that the caller removes. */
  readonly folder: string;
};

/**
 * The finished disk of the image `name`, of the build whose key was planned, its digest checked: only to be read. Where
 * its formats cannot be booted as they are, one is unpacked into `folder`.
 */
export async function parentDisk(
  workshop: Workshop,
  name: string,
  request: ParentRequest,
  ctx: Context,
): Promise<DiskFile> {
  const found = await findParent(workshop, name, request);
  await markUsed(found, workshop.host.now());
  const ready = bootMedia(workshop, found.folder, found.manifest.artifacts).find(isDisk);
  if (ready === undefined) return unpackParent(workshop, found, request.folder, ctx);
  await verify(ready, found, ctx);
  return { path: ready.path, format: ready.format };
}

async function findParent(workshop: Workshop, name: string, { spec, pin }: ParentRequest): Promise<FinishedBuild> {
  const key = z.record(z.string(), z.string()).parse(pin)[name];
  if (key === undefined) throw new Error(`${spec.name} was planned without ${name}`);
  const found = await findByKey(workshop.paths, name, spec.arch, key);
  if (found !== undefined) return found;
  throw new IngotError({
    code: 'NOT_FOUND',
    message: `${spec.name} starts from ${name}, and there is no finished ${name} as it is planned now`,
    hint: `ingot build ${name} --arch ${spec.arch}`,
  });
}

async function unpackParent(
  workshop: Workshop,
  { folder, manifest }: FinishedBuild,
  scratch: string,
  ctx: Context,
): Promise<DiskFile> {
  for (const artifact of manifest.artifacts) {
    const { kind, options } = writtenAs(artifact, workshop);
    if (kind?.unpack === undefined) continue;
    const file = join(folder, artifact.file);
    await verify({ path: file, sha256: artifact.sha256 }, { folder, manifest }, ctx);
    const output = join(scratch, `${manifest.image}.disk`);
    const size = async () => artifact.bytes;
    const format = await withRoomForTools(output, size, async () => kind.unpack?.(options, { file, output }, ctx), ctx);
    if (format !== undefined) return { path: output, format };
  }
  throw new IngotError({
    code: 'SPEC_INVALID',
    message: `no format of ${manifest.image} holds a disk that another image can start from`,
    hint: `add qcow2 to the formats of ${manifest.image}`,
  });
}

async function verify(
  file: { readonly path: string; readonly sha256: string },
  { manifest }: FinishedBuild,
  ctx: Context,
): Promise<void> {
  if ((await ctx.host.files.sha256(file.path, ctx.signal)) === file.sha256) return;
  throw new IngotError({
    code: 'INPUT_REFUSED',
    message: `the finished disk of ${manifest.image} is not what was built: its digest is another one`,
    hint: `ingot build ${manifest.image} --arch ${manifest.arch} --force`,
    detail: [`file: ${file.path}`],
  });
}
