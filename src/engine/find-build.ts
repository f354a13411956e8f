import type { ImageRequest } from '../cli/requests/images.ts';
import { type Arch, arches, archFromNode } from '../core/arch.ts';
import { IngotError, SpecError } from '../core/errors.ts';
import type { Workshop } from '../run/workshop.ts';
import { currentBuild, type FinishedBuild, finishedBuilds, markUsed } from '../store/artifacts.ts';
import { selectImages } from './site.ts';

/** The finished build that a person means: of this machine's architecture, else of the only one there is. */
export async function findBuild(workshop: Workshop, request: ImageRequest): Promise<FinishedBuild> {
  const builds = await buildsOf(workshop, request);
  const found = request.build === undefined ? builds[0] : chooseBuild(builds, request.build);
  if (found === undefined) {
    if (builds.length === 0) await refuseUnknown(workshop, request.image);
    throw notFound(request, builds);
  }
  await markUsed(found, workshop.host.now());
  return found;
}

/** A build by its id; by a day: the newest that was there at its end (UTC). */
export function chooseBuild(builds: readonly FinishedBuild[], said: string): FinishedBuild | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(said)) return builds.find(({ manifest }) => manifest.build === said);
  const old = builds.filter(({ manifest }) => manifest.builtAt.slice(0, 10) <= said);
  return old.toSorted((a, b) => (a.manifest.builtAt < b.manifest.builtAt ? 1 : -1))[0];
}

/** Fails when the project has no image of that name. Mistakes in its files are no matter here. */
async function refuseUnknown(workshop: Workshop, image: string): Promise<void> {
  await selectImages(workshop, { images: [image], arch: 'all' }).catch((error: unknown) => {
    if (!(error instanceof SpecError)) throw error;
  });
}

/** All builds of an image, the current one first, then the newest. */
async function buildsOf({ host, paths }: Workshop, request: ImageRequest): Promise<readonly FinishedBuild[]> {
  const { image, build } = request;
  const native = archFromNode(host.arch);
  const wanted: readonly (Arch | undefined)[] = request.arch === 'native' ? [native, ...arches] : [request.arch];
  const all: FinishedBuild[] = [];
  for (const arch of new Set(wanted)) {
    if (arch === undefined) continue;
    const current = await currentBuild(paths, image, arch);
    const others = (await finishedBuilds(paths, image, arch)).filter(({ folder }) => folder !== current?.folder);
    const here = current === undefined ? others : [current, ...others];
    if (build === undefined && here.length > 0) return here;
    all.push(...here);
  }
  return all;
}

const mostNamed = 5;

function notFound({ image, build, arch }: ImageRequest, builds: readonly FinishedBuild[]): IngotError {
  const what = arch === 'native' ? image : `${image} for ${arch}`;
  if (build === undefined || builds.length === 0) {
    const flag = arch === 'native' ? '' : ` --arch ${arch}`;
    return new IngotError({ code: 'NOT_FOUND', message: `${what} is not built`, hint: `ingot build ${image}${flag}` });
  }
  const ids = builds.slice(0, mostNamed).map(({ manifest }) => manifest.build);
  const more = builds.length > mostNamed ? ' and older ones' : '';
  return new IngotError({
    code: 'NOT_FOUND',
    message: `${what} has no build ${build}`,
    hint: `its builds: ${ids.join(', ')}${more}`,
  });
}
