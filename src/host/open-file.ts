import { type FileHandle, open } from 'node:fs/promises';
import type { OpenFile } from '../core/host.ts';

const flags = { read: 'r', change: 'r+', new: 'w+' } as const;

/** See `Files.open`. */
export async function openFile(path: string, mode: keyof typeof flags): Promise<OpenFile> {
  const handle = await open(path, flags[mode], 0o644);
  return {
    read: (offset, length, into = Buffer.allocUnsafe(length)) => readFull(handle, offset, into.subarray(0, length)),
    write: (offset, data) => writeFull(handle, offset, data),
    truncate: (size) => handle.truncate(size),
    close: () => handle.close(),
  };
}

async function readFull(handle: FileHandle, offset: number, buffer: Buffer): Promise<Buffer> {
  for (let done = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, done, buffer.length - done, offset + done);
    done += bytesRead;
    if (bytesRead === 0 || done === buffer.length) return buffer.subarray(0, done);
  }
}

async function writeFull(handle: FileHandle, offset: number, data: Uint8Array): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, offset + done);
    done += bytesWritten;
  }
}
