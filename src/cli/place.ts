import { dirname, join, resolve } from 'node:path';
import { IngotError } from '../core/errors.ts';
import type { EnginePlace } from './engine.ts';

type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether there is a file at an absolute path. */
  readonly isFile: (path: string) => Promise<boolean>;
};

/** Where the store and the artifacts lie: flag, INGOT_HOME, then the XDG data folder. */
export function homeFolder(place: EnginePlace, { env, cwd }: Omit<Surroundings, 'isFile'>): string {
  const named = place.home ?? nonEmpty(env['INGOT_HOME']);
  if (named !== undefined) return resolve(cwd, named);
  const data = absolute(env['XDG_DATA_HOME']);
  if (data !== undefined) return join(data, 'ingot');
  const home = absolute(env['HOME']);
  if (home !== undefined) return join(home, '.local/share/ingot');
  const hint = 'set INGOT_HOME, or give --home DIR';
  throw new IngotError({ code: 'USAGE', message: 'this user has no home folder to keep results in', hint });
}

/** The project's folder: flag, INGOT_PROJECT, the nearest folder upwards with `ingot.yaml`, then the catalogue. */
export async function projectFolder(place: EnginePlace, around: Surroundings): Promise<string> {
  const named = place.project ?? nonEmpty(around.env['INGOT_PROJECT']);
  if (named !== undefined) return namedProject(named, around);
  for (let folder = around.cwd; ; folder = dirname(folder)) {
    if (await around.isFile(join(folder, 'ingot.yaml'))) return folder;
    if (folder === dirname(folder)) break;
  }
  const catalog = absolute(around.env['INGOT_CATALOG']);
  if (
    catalog !== undefined &&
    within(around.cwd, dirname(catalog)) &&
    (await around.isFile(join(catalog, 'ingot.yaml')))
  ) {
    return catalog;
  }
  throw new IngotError({
    code: 'USAGE',
    message: `there is no project here: no ingot.yaml in ${around.cwd} or above`,
    hint: 'ingot new NAME makes one; --project DIR names one',
  });
}

async function namedProject(named: string, around: Surroundings): Promise<string> {
  const folder = resolve(around.cwd, named);
  if (await around.isFile(join(folder, 'ingot.yaml'))) return folder;
  const hint = 'a project is a folder with ingot.yaml; ingot new NAME makes one';
  throw new IngotError({ code: 'USAGE', message: `there is no project in ${folder}`, hint });
}

function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

// The XDG specification: relative paths are to be ignored.
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
