// Broken durability, by the name of the disk: `NAME-none` never asks for anything to be on the disk, `NAME-files` asks
// it for files only and never for folders.

import { readlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const handle = await open(import.meta.filename);
const prototype = Object.getPrototypeOf(handle) as FileHandle;
await handle.close();
const sync: (this: FileHandle) => Promise<void> = Reflect.get(prototype, 'sync');
prototype.sync = async function brokenSync(this: FileHandle) {
  const [, disk = ''] = /^\/disks\/([^/]*)/.exec(readlinkSync(`/proc/self/fd/${this.fd}`)) ?? [];
  if (disk.endsWith('-none')) return;
  if (disk.endsWith('-files') && (await this.stat()).isDirectory()) return;
  await sync.call(this);
};
