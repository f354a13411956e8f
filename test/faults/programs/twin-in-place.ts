// A broken publish: the new build is written over the old one, where clients read it, on a disk that takes its time.

import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { publishBuild as Real } from '../../../src/store/artifacts.ts';
import { imageFolder } from '../../../src/store/paths.ts';
import { replaceModule } from './twin.ts';

replaceModule('store/artifacts.ts', import.meta.url);

export * from '../../../src/store/artifacts.ts';

export const publishBuild: typeof Real = async (paths, staged, manifest) => {
  const folder = imageFolder(paths, manifest.image, manifest.arch);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(staged)) await writeSlowly(join(staged, name), join(folder, name));
  return { folder, manifest };
};

async function writeSlowly(from: string, to: string): Promise<void> {
  const bytes = await readFile(from);
  const half = Math.floor(bytes.length / 2);
  const file = await open(to, 'w');
  await file.write(bytes, 0, half);
  await setTimeout(50);
  await file.write(bytes, half);
  await file.close();
}
