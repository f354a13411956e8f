import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { extensionsOf, type StepContext } from '../core/kinds.ts';
import { refusedSidecar } from '../core/sidecars.ts';
import type { ImageSpec } from '../core/spec.ts';
import { fetchInput } from '../store/inputs.ts';
import { keptFile } from '../store/kept.ts';
import { sidecarFile } from '../store/layers.ts';
import type { Workshop } from './workshop.ts';

export type StepPlace = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  /** The build's work folder. */
  readonly folder: string;
  /** The folder that becomes the step's layer; it is there. */
  readonly layer: string;
};

/** Do a step, on whichever bench, with what it is handed beside the image; its work files are gone afterwards. */
export async function withStepContext<T>(
  place: StepPlace,
  ctx: Context,
  action: (ctx: StepContext) => Promise<T>,
): Promise<T> {
  const { workshop, spec, layer } = place;
  const { files } = ctx.host;
  const folder = join(place.folder, `step-${ctx.step}`);
  const artifacts = artifactNames(workshop, spec);
  const sidecar = (name: string) => {
    const refused = refusedSidecar(name, artifacts);
    if (refused !== undefined) throw new IngotError({ code: 'SPEC_INVALID', message: refused });
    return sidecarFile(layer, name);
  };
  await files.makeDirectory(folder, 0o700);
  try {
    return await action({
      ...ctx,
      folder,
      projectFile: (path) => join(workshop.root, path),
      fetch: (url, sha256) => fetchInput(workshop.paths, { url, sha256 }, ctx),
      keep: (key, make) => keptFile(workshop.paths, key, make, ctx),
      sidecar,
    });
  } finally {
    await files.remove(folder);
  }
}

function artifactNames({ kinds }: Workshop, { name, formats }: ImageSpec): readonly string[] {
  return formats.flatMap((use) => {
    const format = kinds.formats.get(use.kind);
    return format === undefined ? [] : extensionsOf(format, use.options).map((extension) => `${name}.${extension}`);
  });
}
