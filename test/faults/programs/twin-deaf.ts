// A broken store: it does not listen when fsync fails.

import { type FileHandle, open } from 'node:fs/promises';

const handle = await open(import.meta.filename);
const prototype = Object.getPrototypeOf(handle) as FileHandle;
await handle.close();
const sync: (this: FileHandle) => Promise<void> = Reflect.get(prototype, 'sync');
prototype.sync = function deafSync(this: FileHandle) {
  return sync.call(this).catch(() => undefined);
};
