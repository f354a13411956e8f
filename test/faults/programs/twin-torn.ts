// A broken registry: it is written where it is read, in two pieces, on a disk that takes its time.

import { appendFile, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { writeDurable as realWrite } from '../../../src/store/durable.ts';
import { replaceModule } from './twin.ts';

replaceModule('store/durable.ts', import.meta.url);

export * from '../../../src/store/durable.ts';

export const writeDurable: typeof realWrite = async (destination, data, mode) => {
  if (!destination.path.endsWith('registry.yml')) return realWrite(destination, data, mode);
  const text = String(data);
  await writeFile(destination.path, text.slice(0, text.length / 2));
  await setTimeout(50);
  await appendFile(destination.path, text.slice(text.length / 2));
};
