import { join } from 'node:path';
import type { Io } from '../../cli/engine.ts';
import type { ImageRequest } from '../../cli/requests/images.ts';
import type { Change, Difference, DiffRequest, DiffSide } from '../../cli/requests/trace.ts';
import { debianArch } from '../../core/arch.ts';
import { IngotError } from '../../core/errors.ts';
import type { Files } from '../../core/host.ts';
import type { Manifest } from '../../core/manifest.ts';
import type { Workshop } from '../../run/workshop.ts';
import { type FinishedBuild, finishedBuilds } from '../../store/artifacts.ts';
import { changes } from '../changes.ts';
import { findBuild } from '../find-build.ts';
import { findSide, type Side } from '../find-side.ts';
import { type Ground, openWorkshop } from '../site.ts';
import { compareContents, readContents } from './diff-contents.ts';
import { compareInputs } from './diff-inputs.ts';

/** What differs between two finished builds, of this machine or of releases: what went in, and what came out. */
export async function compareBuilds(ground: Ground, request: DiffRequest, io: Io): Promise<Difference> {
  const workshop = await openWorkshop(ground);
  const { files: all } = ground.host;
  const find = (side: ImageRequest, folder: string) => findSide({ ground, workshop, io, folder }, side);
  return ground.host.withTemporary(async (folder) => {
    const from = await find(request.from, join(folder, 'from'));
    if (request.to !== undefined) return compareFinished(from, await find(request.to, join(folder, 'to')), all);
    // What the release would get by the next one.
    if (from.tag !== undefined)
      return compareFinished(from, await findBuild(workshop, withoutBuild(request.from)), all);
    return compareFinished(await theOneBefore(workshop, from), from, all);
  });
}

function withoutBuild({ image, arch, site }: ImageRequest): ImageRequest {
  return { image, arch, ...(site === undefined ? {} : { site }) };
}

/** What differs between two builds that lie in folders. */
export async function compareFinished(from: Side, to: Side, all: Files): Promise<Difference> {
  const same = changes(digestsOf(from.manifest), digestsOf(to.manifest)).length === 0;
  return {
    from: sideOf(from),
    to: sideOf(to),
    same,
    inputs: compareInputs(from.manifest, to.manifest),
    packages: changes(packagesOf(from.manifest), packagesOf(to.manifest)),
    files: same ? [] : await files(all, from, to),
    sizes: changes(sizesOf(from.manifest), sizesOf(to.manifest)),
  };
}

async function theOneBefore(workshop: Workshop, { manifest }: FinishedBuild): Promise<FinishedBuild> {
  const { image, arch, build } = manifest;
  const older = (await finishedBuilds(workshop.paths, image, arch)).find((one) => one.manifest.build < build);
  if (older !== undefined) return older;
  const message = `${image} for ${arch} has no build before ${build}`;
  const hint = `compare it with another image, or build it once more: ingot build ${image} --force`;
  throw new IngotError({ code: 'NOT_FOUND', message, hint });
}

async function files(all: Files, from: FinishedBuild, to: FinishedBuild): Promise<readonly Change[]> {
  const [before, after] = await Promise.all([from, to].map(({ folder }) => readContents(folder, all)));
  // A build whose list of contents is lost has not lost its files.
  return before === undefined || after === undefined ? [] : compareContents(before, after);
}

function sideOf({ manifest, tag }: Side): DiffSide {
  const { image, arch, build, builtAt } = manifest;
  return { image, arch, build, at: builtAt, ...(tag === undefined ? {} : { release: tag }) };
}

/** By name; with the architecture only where it is another than the image's. */
function packagesOf({ arch: own, packages }: Manifest): ReadonlyMap<string, string> {
  const natural: readonly string[] = ['all', 'noarch', '(none)', own, debianArch(own)];
  return new Map(
    packages.map(({ name, arch, version }) => [natural.includes(arch) ? name : `${name}:${arch}`, version]),
  );
}

function digestsOf(manifest: Manifest): ReadonlyMap<string, string> {
  return new Map(manifest.artifacts.map(({ file, sha256 }) => [extension(manifest, file), sha256]));
}

function sizesOf(manifest: Manifest): ReadonlyMap<string, string> {
  return new Map(manifest.artifacts.map(({ file, bytes }) => [extension(manifest, file), String(bytes)]));
}

/** A file's name without the image's, so that two images can be compared: `qcow2`, `raw.zst`. */
function extension({ image }: Manifest, file: string): string {
  return file.startsWith(`${image}.`) ? file.slice(image.length + 1) : file;
}
