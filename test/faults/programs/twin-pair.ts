// A broken publish: each file is replaced whole, but one after the other, on a disk that takes its time.

import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { publishBuild as Real } from '../../../src/store/artifacts.ts';
import { syncFolder } from '../../../src/store/durable.ts';
import { imageFolder } from '../../../src/store/paths.ts';
import { replaceModule } from './twin.ts';

replaceModule('store/artifacts.ts', import.meta.url);

export * from '../../../src/store/artifacts.ts';

export const publishBuild: typeof Real = async (paths, staged, manifest) => {
  const folder = imageFolder(paths, manifest.image, manifest.arch);
  await mkdir(folder, { recursive: true });
  await syncFolder(staged);
  for (const name of await readdir(staged)) {
    await rename(join(staged, name), join(folder, name));
    await syncFolder(folder);
    await setTimeout(50);
  }
  return { folder, manifest };
};
