import { join } from 'node:path';
import type { ImageRequest } from '../cli/requests/images.ts';
import type { ImageStory } from '../cli/requests/trace.ts';
import { trustedKeys } from '../run/signing.ts';
import type { Workshop } from '../run/workshop.ts';
import { currentBuild, type FinishedBuild } from '../store/artifacts.ts';
import { imageFolder } from '../store/paths.ts';
import { openEnvelope } from '../trace/envelope.ts';
import { provenanceFile } from '../trace/provenance.ts';
import { originWords } from '../trace/words.ts';
import { findBuild } from './find-build.ts';

/** Where one finished build came from. */
export async function tellStory(workshop: Workshop, request: ImageRequest): Promise<ImageStory> {
  const found = await findBuild(workshop, request);
  const { manifest } = found;
  const folder = await shownFolder(workshop, found);
  const { image, arch, description, build, key, seconds, checks, tools } = manifest;
  const system = systemName(manifest.system);
  const sidecars = (manifest.sidecars ?? []).map(({ file, ...rest }) => ({ path: join(folder, file), ...rest }));
  return {
    image,
    arch,
    description,
    build,
    at: manifest.builtAt,
    seconds,
    key,
    packages: manifest.packages.length,
    steps: manifest.steps.map(({ title, outcome, seconds: took }) => ({ title, outcome, seconds: took })),
    checks,
    tools,
    artifacts: manifest.artifacts.map(({ file, ...rest }) => ({ path: join(folder, file), ...rest })),
    ...(sidecars.length === 0 ? {} : { sidecars }),
    ...(manifest.site === undefined ? {} : { site: manifest.site }),
    ...(manifest.git === undefined ? {} : { git: manifest.git }),
    ...(system === undefined ? {} : { system }),
    origin: originWords(manifest, await signedBy(workshop, found)),
  };
}

/** The trusted key that signed the provenance of a build. */
async function signedBy({ host, paths }: Workshop, { folder }: FinishedBuild): Promise<string | undefined> {
  const text = await host.files.readText(join(folder, provenanceFile));
  if (text === undefined) return undefined;
  const opened = openEnvelope(text.split('\n')[0] ?? '', await trustedKeys(paths, host.files));
  return 'fault' in opened ? undefined : opened.trusted?.id;
}

/** `Debian GNU/Linux 13.3` from os-release(5), which does not tell Debian's point release. */
export function systemName(system: Readonly<Record<string, string>>): string | undefined {
  const { NAME, ID, VERSION_ID, DEBIAN_VERSION } = system;
  const version = ID === 'debian' ? (DEBIAN_VERSION ?? VERSION_ID) : VERSION_ID;
  const words = [NAME ?? ID, version].filter((word) => word !== undefined && word !== '');
  return words.length === 0 ? undefined : words.join(' ');
}

/** The stable folder for the build it stands for, so that paths stay good; its own folder for others. */
async function shownFolder({ paths }: Workshop, { folder, manifest }: FinishedBuild): Promise<string> {
  const current = await currentBuild(paths, manifest.image, manifest.arch);
  return current?.folder === folder ? imageFolder(paths, manifest.image, manifest.arch) : folder;
}
