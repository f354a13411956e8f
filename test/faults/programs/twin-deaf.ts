// A broken store: it does not listen when fsync fails.

import { open } from 'node:fs/promises';

const handle = await open(import.meta.filename);
const prototype = Object.getPrototypeOf(handle) as { sync(): Promise<void> };
await handle.close();
const { sync } = prototype;
prototype.sync = function deafSync() {
  return sync.call(this).catch(() => undefined);
};
