import { extname, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import type { Context } from '../core/context.ts';
import { type BootMedium, extensionsOf, type Format, isDisk } from '../core/kinds.ts';
import type { ArtifactFile, Manifest } from '../core/manifest.ts';
import { withRoom } from '../core/space.ts';
import type { ImageSpec } from '../core/spec.ts';
import { manifestFile, manifestText } from '../store/artifacts.ts';
import type { Signer } from '../trace/keys.ts';
import { imageVersionText } from './image-facts.ts';
import { withRoomForTools } from './room.ts';
import { traceFiles } from './trace.ts';
import { type Workshop, withStep } from './workshop.ts';

/** Where the list of everything in the image lies beside it; see `listContents`. */
export const contentsFile = 'contents.tsv.zst';

/** Write every format of the disk into a folder, each with its digest beside it. */
export async function writeFormats(
  workshop: Workshop,
  spec: ImageSpec,
  { disk, folder }: { readonly disk: string; readonly folder: string },
  ctx: Context,
): Promise<readonly ArtifactFile[]> {
  const artifacts: ArtifactFile[] = [];
  for (const [index, use] of spec.formats.entries()) {
    const format = workshop.kinds.formats.get(use.kind);
    if (format === undefined) throw new Error(`no format is called ${use.kind}`);
    const step = { id: `format-${index + 1}-${use.kind}`, title: format.title(use.options) };
    const { value } = await withStep(step, ctx, async (stepCtx) => {
      const file = `${spec.name}.${format.extension(use.options)}`;
      const output = join(folder, file);
      const size = () => writtenBytes(disk, stepCtx);
      const request = { disk, output, image: { name: spec.name, arch: spec.arch, firmware: spec.firmware } };
      await withRoomForTools(output, size, () => format.write(use.options, request, stepCtx), stepCtx);
      const [, ...beside] = extensionsOf(format, use.options);
      return [
        { ...(await finishFile(folder, file, stepCtx)), format: use.kind, options: use.options },
        ...(await Promise.all(beside.map((one) => finishFile(folder, `${spec.name}.${one}`, stepCtx)))),
      ];
    });
    artifacts.push(...value);
  }
  return artifacts;
}

/** Put the digest of a written file beside it, which is known or made; its format is what its name ends in. */
export async function finishFile(
  folder: string,
  file: string,
  { host, signal }: Context,
  known?: string,
): Promise<ArtifactFile> {
  const path = join(folder, file);
  const sha256 = known ?? (await host.files.sha256(path, signal));
  const line = `${sha256}  ${file}\n`;
  await withRoom(path, line.length, () => host.files.write(`${path}.sha256`, line));
  const bytes = (await host.files.stat(path))?.size ?? 0;
  return { file, format: extname(file).slice(1), bytes, sha256 };
}

/** The bytes that a sparse file takes on the disk. */
async function writtenBytes(path: string, ctx: Context): Promise<number> {
  const { stdout } = await ctx.host.run({ argv: ['du', '-s', '-B1', '--', path] }, { signal: ctx.signal });
  return Number.parseInt(stdout, 10);
}

/** What else is to lie beside the artifacts; `signer`: the key of this home, where it has one. */
export type Beside = {
  readonly contents: string;
  readonly signer: Signer | undefined;
  readonly signal: AbortSignal;
};

/** Write what lies beside the artifacts: manifest, version file, list of contents, and what tells of their origin. */
export async function writeSidecars(
  workshop: Workshop,
  folder: string,
  manifest: Manifest,
  beside: Beside,
): Promise<void> {
  const sidecars: Readonly<Record<string, string | Uint8Array>> = {
    [manifestFile]: manifestText(manifest),
    'image-version.txt': imageVersionText(manifest),
    [contentsFile]: zstdCompressSync(beside.contents),
    ...(await traceFiles(workshop, folder, manifest, beside)),
  };
  for (const [name, data] of Object.entries(sidecars)) {
    const path = join(folder, name);
    await withRoom(path, Buffer.byteLength(data), () => workshop.host.files.write(path, data));
  }
}

export type BootArtifact = BootMedium & { readonly sha256: string };

/**
 * The artifacts that a machine starts from as they are, for the checks: the first that is a disk and the first ISO, which
 * start in ways of their own.
 */
export function bootMedia(
  workshop: Workshop,
  folder: string,
  artifacts: readonly ArtifactFile[],
): readonly BootArtifact[] {
  const media = artifacts.flatMap((artifact): readonly BootArtifact[] => {
    const { kind, options } = writtenAs(artifact, workshop);
    const format = kind?.boots(options);
    return format === undefined ? [] : [{ path: join(folder, artifact.file), format, sha256: artifact.sha256 }];
  });
  const firsts = [media.find(isDisk), media.find((one) => !isDisk(one))];
  return media.filter((one) => firsts.includes(one));
}

/** The format of an artifact with its options, which manifests did not always tell. */
export function writtenAs(
  { format, options }: ArtifactFile,
  { kinds }: Pick<Workshop, 'kinds'>,
): { readonly kind: Format | undefined; readonly options: unknown } {
  const kind = kinds.formats.get(format);
  return { kind, options: options ?? kind?.options.safeParse({}).data };
}
