import type { Io } from '../../cli/engine.ts';
import type { ReleaseRequest } from '../../cli/requests/release.ts';
import { type Arch, arches, archFromNode } from '../../core/arch.ts';
import { IngotError } from '../../core/errors.ts';
import type { Workshop } from '../../run/workshop.ts';
import { currentBuild, type FinishedBuild } from '../../store/artifacts.ts';
import { verdict } from '../list.ts';
import { selectImages } from '../site.ts';

export type Chosen = {
  readonly builds: readonly FinishedBuild[];
  /** Images that are not built, and were not named. */
  readonly absent: readonly string[];
};

/** The newest builds of the images that are to be released; none whose checks failed. */
export async function chooseBuilds(workshop: Workshop, request: ReleaseRequest, io: Io): Promise<Chosen> {
  const names = request.all ? await allNames(workshop) : [...new Set(request.images)];
  const builds: FinishedBuild[] = [];
  const absent: string[] = [];
  for (const name of names) {
    const mine = await buildsOf(workshop, name, request.arch);
    if (mine.length === 0) absent.push(name);
    builds.push(...mine);
  }
  const [first] = absent;
  if (first !== undefined && (!request.all || builds.length === 0)) {
    // A name that the project does not know is told with the nearest one.
    await selectImages(workshop, { images: [first], arch: 'all' });
    const what = request.arch === 'all' ? first : `${first} for ${request.arch}`;
    throw new IngotError({ code: 'NOT_FOUND', message: `${what} is not built`, hint: `ingot build ${first}` });
  }
  if (builds.length === 0) throw new IngotError({ code: 'NOT_FOUND', message: 'this project has no images' });
  for (const { manifest } of builds) refuseUnproven(manifest, workshop, io);
  return { builds, absent };
}

async function allNames(workshop: Workshop): Promise<readonly string[]> {
  const specs = await selectImages(workshop, { images: [], arch: 'all' });
  return [...new Set(specs.map(({ name }) => name))];
}

async function buildsOf({ paths, host }: Workshop, name: string, arch: ReleaseRequest['arch']) {
  const wanted = arch === 'native' ? archFromNode(host.arch) : arch;
  const mine: readonly Arch[] = wanted === 'all' ? arches : wanted === undefined ? [] : [wanted];
  const found = await Promise.all(mine.map((one) => currentBuild(paths, name, one)));
  return found.filter((build) => build !== undefined);
}

function refuseUnproven({ image, arch, build, checks }: FinishedBuild['manifest'], { host }: Workshop, io: Io): void {
  const state = verdict(checks);
  if (state === 'failed') {
    const hint = `ingot check ${image} shows them; build it again when they are mended`;
    throw new IngotError({ code: 'CHECK_FAILED', message: `${image} ${arch}: checks of it failed`, hint });
  }
  if (state === 'passed') return;
  const message = `${image} ${arch}: no check of it was run`;
  const event = { type: 'warning' as const, message, hint: `ingot check ${image}` };
  io.emit({ ...event, seq: 1, time: new Date(host.now()).toISOString(), build });
}
