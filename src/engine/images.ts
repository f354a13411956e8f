import { join } from 'node:path';
import type {
  Change,
  Difference,
  DiffRequest,
  DiffSide,
  ImageRequest,
  ImageStory,
  Io,
  ListedImage,
} from '../cli/engine.ts';
import { type Arch, arches, archFromNode } from '../core/arch.ts';
import { IngotError } from '../core/errors.ts';
import type { Manifest } from '../core/manifest.ts';
import type { ImageSpec } from '../core/spec.ts';
import { pinImages } from '../run/pin.ts';
import { planWithStore } from '../run/plan.ts';
import type { Workshop } from '../run/workshop.ts';
import { currentBuild, type FinishedBuild, finishedBuilds } from '../store/artifacts.ts';
import { imageFolder } from '../store/paths.ts';

/** Each image of the project and what is finished of it. */
export async function listImages(
  workshop: Workshop,
  specs: readonly ImageSpec[],
  io: Io,
): Promise<readonly ListedImage[]> {
  const ctx = { signal: io.signal, emit: () => {}, host: workshop.host, step: 'list' };
  const lock = await pinImages(workshop, specs, 'none', ctx);
  return Promise.all(
    specs.map(async (spec): Promise<ListedImage> => {
      const { name: image, arch, pass, description } = spec;
      const build = await currentBuild(workshop.paths, image, arch);
      if (build === undefined) return { image, arch, pass, description, state: 'absent' };
      const { key } = planWithStore(workshop, spec, lock, { force: false });
      const state = key === build.manifest.key ? 'current' : 'stale';
      return { image, arch, pass, description, state, built: listed(build, imageFolder(workshop.paths, image, arch)) };
    }),
  );
}

function listed({ manifest }: FinishedBuild, folder: string): NonNullable<ListedImage['built']> {
  return {
    build: manifest.build,
    at: manifest.builtAt,
    key: manifest.key,
    bytes: manifest.artifacts.reduce((sum, one) => sum + one.bytes, 0),
    checks: proof(manifest),
    paths: manifest.artifacts.map(({ file }) => join(folder, file)),
  };
}

function proof({ checks }: Manifest): 'passed' | 'failed' | 'not run' {
  if (checks.length === 0) return 'not run';
  return checks.every(({ outcome }) => outcome === 'done' || outcome === 'cached') ? 'passed' : 'failed';
}

/** Where one finished build came from. */
export async function tellStory(workshop: Workshop, request: ImageRequest): Promise<ImageStory> {
  const found = await findBuild(workshop, request);
  const { manifest } = found;
  const folder = await shownFolder(workshop, found);
  const { image, arch, description, build, key, seconds, steps, checks, tools } = manifest;
  const system = [manifest.system['name'], manifest.system['version']].filter(Boolean).join(' ');
  return {
    image,
    arch,
    description,
    build,
    at: manifest.builtAt,
    seconds,
    key,
    packages: manifest.packages.length,
    steps,
    checks,
    tools,
    artifacts: manifest.artifacts.map(({ file, ...rest }) => ({ path: join(folder, file), ...rest })),
    ...(manifest.site === undefined ? {} : { site: manifest.site }),
    ...(manifest.git === undefined ? {} : { git: manifest.git }),
    ...(system === '' ? {} : { system }),
  };
}

/** The stable folder for the build it stands for, so that paths stay good; its own folder for others. */
async function shownFolder({ paths }: Workshop, { folder, manifest }: FinishedBuild): Promise<string> {
  const current = await currentBuild(paths, manifest.image, manifest.arch);
  return current?.folder === folder ? imageFolder(paths, manifest.image, manifest.arch) : folder;
}

/** The finished build that a person means: of this machine's architecture, else of the only one there is. */
export async function findBuild(workshop: Workshop, request: ImageRequest): Promise<FinishedBuild> {
  const [first] = await candidates(workshop, request);
  if (first !== undefined) return first;
  const { image, build } = request;
  const what = build === undefined ? `${image} is not built` : `${image} has no build ${build}`;
  const hint = build === undefined ? `ingot build ${image}` : `ingot show ${image}`;
  throw new IngotError({ code: 'NOT_FOUND', message: what, hint });
}

async function candidates(workshop: Workshop, request: ImageRequest): Promise<readonly FinishedBuild[]> {
  const native = archFromNode(workshop.host.arch);
  const wanted: readonly (Arch | undefined)[] = request.arch === 'native' ? [native, ...arches] : [request.arch];
  for (const arch of wanted) {
    if (arch === undefined) continue;
    const current = await currentBuild(workshop.paths, request.image, arch);
    const others = await finishedBuilds(workshop.paths, request.image, arch);
    const all = current === undefined ? others : [current, ...others.filter(({ folder }) => folder !== current.folder)];
    const fitting = all.filter(({ manifest }) => request.build === undefined || manifest.build === request.build);
    if (fitting.length > 0) return fitting;
  }
  return [];
}

/** What differs between two finished builds, as their manifests tell it. */
export async function compareBuilds(
  workshop: Workshop,
  request: DiffRequest,
  filesOf: (build: FinishedBuild) => Promise<ReadonlyMap<string, string>>,
): Promise<Difference> {
  const [from, to] =
    request.to === undefined
      ? await lastTwo(workshop, request.from)
      : await Promise.all([findBuild(workshop, request.from), findBuild(workshop, request.to)]);
  const of = (build: FinishedBuild) => new Map(build.manifest.artifacts.map(({ file, sha256 }) => [file, sha256]));
  const same = changes(of(from), of(to)).length === 0;
  const [before, after] = same
    ? [new Map<string, string>(), new Map<string, string>()]
    : await Promise.all([filesOf(from), filesOf(to)]);
  return {
    from: sideOf(from),
    to: sideOf(to),
    same,
    inputs: changes(inputsOf(from.manifest), inputsOf(to.manifest)),
    packages: changes(packagesOf(from.manifest), packagesOf(to.manifest)),
    files: changes(before, after),
    sizes: changes(sizesOf(from.manifest), sizesOf(to.manifest)),
  };
}

async function lastTwo(workshop: Workshop, request: ImageRequest): Promise<readonly [FinishedBuild, FinishedBuild]> {
  const to = await findBuild(workshop, request);
  const { image, arch, build } = to.manifest;
  const older = (await finishedBuilds(workshop.paths, image, arch)).find(({ manifest }) => manifest.build < build);
  if (older !== undefined) return [older, to];
  const message = `${image} ${arch} has no build before ${build}`;
  throw new IngotError({ code: 'NOT_FOUND', message, hint: 'ingot diff FROM TO compares any two' });
}

function sideOf({ manifest }: FinishedBuild): DiffSide {
  return { image: manifest.image, arch: manifest.arch, build: manifest.build, at: manifest.builtAt };
}

function packagesOf({ packages }: Manifest): ReadonlyMap<string, string> {
  return new Map(packages.map(({ name, arch, version }) => [`${name}:${arch}`, version]));
}

function sizesOf({ artifacts }: Manifest): ReadonlyMap<string, string> {
  return new Map(artifacts.map(({ file, bytes }) => [file, String(bytes)]));
}

function inputsOf({ source, pins, steps, tools }: Manifest): ReadonlyMap<string, string> {
  return new Map([
    ['source', JSON.stringify(source.options)],
    ['source pin', JSON.stringify(source.pin)],
    ...Object.entries(pins).map(([name, value]) => [`pin ${name}`, value] as const),
    ...steps.map(({ id, key }) => [`step ${id}`, key.slice(0, 12)] as const),
    ...Object.entries(tools).map(([name, version]) => [`tool ${name}`, version] as const),
  ]);
}

/** What is new, gone or other in the second map, sorted by name. */
export function changes(from: ReadonlyMap<string, string>, to: ReadonlyMap<string, string>): readonly Change[] {
  const names = [...new Set([...from.keys(), ...to.keys()])].sort();
  return names.flatMap((name): readonly Change[] => {
    const [before, after] = [from.get(name), to.get(name)];
    if (before === after) return [];
    return [{ name, ...(before === undefined ? {} : { from: before }), ...(after === undefined ? {} : { to: after }) }];
  });
}
