import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { digest, type Json } from '../../core/keys.ts';
import type { Carried, Medium } from '../../core/media.ts';
import type { ImageSpec } from '../../core/spec.ts';
import type { IsoFacts } from '../../iso/facts.ts';
import type { Workshop } from '../../run/workshop.ts';
import { currentBuild } from '../../store/artifacts.ts';
import { onShelf } from '../../store/paths.ts';
import { readPin, writePin } from '../../store/records.ts';

/** What an ISO holds beside its answers, as far as it is known before packages are fetched. */
export type Cargo = {
  /** Files of this machine by their paths in the ISO. */
  readonly files: ReadonlyMap<string, string>;
  readonly offline: boolean;
  /** The state of the archive that packages come from. */
  readonly pin: Json;
  /** Of all that decides its bytes. */
  readonly key: Json;
};

type Loading = {
  readonly workshop: Workshop;
  readonly spec: ImageSpec;
  readonly medium: Medium<unknown>;
  readonly options: unknown;
  readonly facts: IsoFacts;
  readonly refresh: boolean;
};

/** Find what the ISO of an image is to hold; undefined: nothing but its answers. */
export async function cargoOf(loading: Loading, ctx: Context): Promise<Cargo | undefined> {
  const { workshop, spec, medium, options } = loading;
  const carried = medium.carried?.(options);
  if (carried === undefined) return undefined;
  const files = new Map([
    ...(await projectFiles(workshop, carried, ctx)),
    ...(await artifactFiles(workshop, carried, spec)),
  ]);
  const pin = await pinOfCargo(loading, carried, ctx);
  const digests = [...files].map(async ([path, from]) => [path, await ctx.host.files.sha256(from, ctx.signal)]);
  const key = { files: await Promise.all(digests), pin, offline: carried.offline };
  return { files, offline: carried.offline, pin, key };
}

async function projectFiles({ root }: Workshop, { files }: Carried, { host }: Context) {
  const found = files.map(async (path): Promise<[string, string]> => {
    const from = join(root, path);
    if ((await host.files.stat(from)) !== undefined) return [`ingot/files/${path}`, from];
    throw new IngotError({ code: 'SPEC_INVALID', message: `the file ${path} is not in the project` });
  });
  return Promise.all(found);
}

async function artifactFiles({ paths }: Workshop, { artifacts }: Carried, { arch }: ImageSpec) {
  const found = artifacts.map(async (name): Promise<readonly (readonly [string, string])[]> => {
    const build = await currentBuild(onShelf(paths, 'images'), name, arch);
    if (build === undefined) {
      const message = `${name} has not been built for ${arch}: the ISO is to hold it`;
      throw new IngotError({ code: 'USAGE', message, hint: `ingot build ${name}` });
    }
    const names = build.manifest.artifacts.flatMap(({ file }) => [file, `${file}.sha256`]);
    return names.map((file) => [`ingot/artifacts/${name}/${file}`, join(build.folder, file)] as const);
  });
  return (await Promise.all(found)).flat();
}

/** Asked once, and again when that is wanted. */
async function pinOfCargo(
  { workshop, spec, medium, options, facts, refresh }: Loading,
  { offline }: Carried,
  ctx: Context,
): Promise<Json> {
  if (!offline || medium.pinCarried === undefined) return null;
  const id = digest(['cargo', spec.source.kind, spec.source.options, spec.arch]);
  const known = refresh ? undefined : await readPin(workshop.paths, id);
  if (known !== undefined) return known;
  const pin = await medium.pinCarried(options, { arch: spec.arch, files: facts.files }, ctx);
  await writePin(workshop.paths, id, pin);
  return pin;
}
