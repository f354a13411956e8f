import type { EnginePlace } from '../cli/engine.ts';
import { homeFolder, projectFolder } from '../cli/place.ts';
import type { Selection } from '../cli/requests/images.ts';
import { IngotError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { Kinds } from '../core/kinds.ts';
import type { ImageSpec } from '../core/spec.ts';
import { withFamily } from '../plan/family.ts';
import { loadProject } from '../run/load-project.ts';
import type { Workshop } from '../run/workshop.ts';
import { storePaths } from '../store/paths.ts';

/** What an engine is made of. */
export type Ground = {
  readonly host: Host;
  readonly kinds: Kinds;
  readonly place: EnginePlace;
  /** Where the command was run. */
  readonly cwd: string;
};

/** The workshop of the project that the person is in or named. */
export async function openWorkshop(ground: Ground): Promise<Workshop> {
  const { host, kinds, place, cwd } = ground;
  const { env } = host;
  const isFile = async (path: string) => (await host.files.stat(path))?.kind === 'file';
  const root = await projectFolder(place, { env, cwd, isFile });
  return { host, kinds, root, paths: storePaths(homeFolder(place, { env, cwd })), secret: secretsFrom(env) };
}

/** The images that were selected and all they are made from, in the order they are built. */
export async function selectImages(workshop: Workshop, selection: Selection): Promise<readonly ImageSpec[]> {
  const { images, arch, site, pass } = selection;
  const choice = { images, arch, ...(site === undefined ? {} : { site }) };
  const project = await loadProject(workshop.root, workshop, choice);
  const chosen = project.images.filter((spec) => pass === undefined || spec.pass === pass);
  if (chosen.length === 0 && pass !== undefined) {
    throw new IngotError({ code: 'USAGE', message: `no image has pass ${pass}`, hint: 'ingot list' });
  }
  return withFamily(chosen, project.images, workshop.kinds);
}

/** The values of secrets, by the variables that hold them. */
export function secretsFrom(env: Host['env']): (name: string) => string {
  return (name) => {
    const variable = `INGOT_SECRET_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
    const value = env[variable];
    if (value !== undefined) return value;
    throw new IngotError({ code: 'USAGE', message: `the secret ${name} is not given`, hint: `set ${variable}` });
  };
}
