import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  statfs,
  writeFile,
} from 'node:fs/promises';
import type { FileKind, Files } from '../core/host.ts';
import { openFile } from './open-file.ts';

/** The real file system behind the `Files` port. */
export const files: Files = {
  readText: (path) => readFile(path, 'utf8').catch(undefinedIfMissing),
  read: async (path, options = {}) => {
    const handle = await open(path, 'r');
    try {
      const length = options.length ?? (await handle.stat()).size - (options.offset ?? 0);
      const buffer = Buffer.allocUnsafe(length);
      const { bytesRead } = await handle.read(buffer, 0, length, options.offset ?? 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  },
  stat: async (path) => {
    const stat = await lstat(path).catch(undefinedIfMissing);
    if (stat === undefined) return undefined;
    const kind: FileKind = stat.isFile()
      ? 'file'
      : stat.isDirectory()
        ? 'directory'
        : stat.isSymbolicLink()
          ? 'link'
          : 'other';
    return { kind, size: stat.size, mode: stat.mode & 0o7777, modifiedMs: stat.mtimeMs };
  },
  list: async (path) => (await readdir(path).catch(undefinedIfMissing)) ?? [],
  write: (path, data, mode = 0o644) => writeFile(path, data, { mode }),
  makeDirectory: async (path, mode) => {
    await mkdir(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
  rename: (from, to) => rename(from, to),
  readLink: (path) => readlink(path),
  realPath: (path) => realpath(path),
  sha256: async (path, signal) => {
    const hash = createHash('sha256');
    const options = { highWaterMark: 1024 * 1024, ...(signal === undefined ? {} : { signal }) };
    for await (const chunk of createReadStream(path, options)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  },
  freeBytes: async (path) => {
    const stat = await statfs(path);
    return stat.bavail * stat.bsize;
  },
  open: openFile,
};

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
