import type { Io } from '../cli/engine.ts';
import type { ImageRequest } from '../cli/requests/images.ts';
import { archFromNode } from '../core/arch.ts';
import { IngotError } from '../core/errors.ts';
import { isTag } from '../core/repository.ts';
import type { Workshop } from '../run/workshop.ts';
import type { FinishedBuild } from '../store/artifacts.ts';
import { findBuild } from './find-build.ts';
import { troubleTo } from './releases/images.ts';
import { noRelease } from './releases/release-remove.ts';
import { bringBuild } from './releases/released-build.ts';
import { findRelease, hasRepository, withRemote } from './releases/remote.ts';
import { readEntries, stemsIn } from './releases/remote-entries.ts';
import type { Ground } from './site.ts';

/** A build to compare; `tag`: of the release that tells of it. */
export type Side = FinishedBuild & { readonly tag?: string };

type Looking = {
  readonly ground: Ground;
  readonly workshop: Workshop;
  readonly io: Io;
  /** Where what a release tells of a build may lie. */
  readonly folder: string;
};

/** The build of this machine that a person means; where there is none, and it is no id or day, that of a release. */
export async function findSide(looking: Looking, request: ImageRequest): Promise<Side> {
  const { ground, workshop } = looking;
  const { build } = request;
  try {
    return await findBuild(workshop, request);
  } catch (error) {
    if (build === undefined || !mayBeTag(build) || !(await hasRepository(ground))) throw error;
    return fromRelease(looking, request, build);
  }
}

function mayBeTag(build: string): boolean {
  return isTag(build) && !/^\d{8}-\d{6}-[0-9a-f]{4}$/.test(build) && !/^\d{4}-\d{2}-\d{2}$/.test(build);
}

function fromRelease({ ground, io, folder }: Looking, { image, arch }: ImageRequest, tag: string): Promise<Side> {
  const around = { host: ground.host, signal: io.signal };
  return withRemote(ground, {}, { signal: io.signal, onTrouble: troubleTo(ground, io) }, async (remote) => {
    const release = await findRelease(remote, tag);
    if (release === undefined) throw noRelease(remote, tag);
    const assets = await remote.github.assets(release);
    const entries = await readEntries(remote, assets, [image], around);
    const wanted = arch === 'native' ? archFromNode(ground.host.arch) : arch;
    const entry = entries.find((one) => one.arch === wanted) ?? (arch === 'native' ? entries[0] : undefined);
    if (entry === undefined) {
      const message = `the release ${tag} holds no image ${image}${arch === 'native' ? '' : ` for ${arch}`}`;
      throw new IngotError({ code: 'NOT_FOUND', message, hint: `it holds: ${stemsIn(assets).join(', ')}` });
    }
    return { ...(await bringBuild(remote, { entry, assets }, { ...around, folder })), tag };
  });
}
