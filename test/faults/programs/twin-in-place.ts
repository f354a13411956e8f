// A broken publish: the new build is written over the old one, where clients read it.

import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { publishBuild as Real } from '../../../src/store/artifacts.ts';
import { imageFolder } from '../../../src/store/paths.ts';
import { replaceModule } from './twin.ts';

replaceModule('store/artifacts.ts', import.meta.url);

export * from '../../../src/store/artifacts.ts';

export const publishBuild: typeof Real = async (paths, staged, manifest) => {
  const folder = imageFolder(paths, manifest.image, manifest.arch);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(staged)) await copyFile(join(staged, name), join(folder, name));
  return { folder, manifest };
};
