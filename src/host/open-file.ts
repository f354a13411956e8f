import { type FileHandle, open } from 'node:fs/promises';
import type { OpenFile } from '../core/host.ts';

const flags = { read: 'r', change: 'r+', new: 'w+' } as const;

/** See `Files.open`. */
export async function openFile(path: string, mode: keyof typeof flags): Promise<OpenFile> {
  const handle = await open(path, flags[mode], 0o644);
  return {
    read: (offset, length) => readFull(handle, offset, length),
    write: (offset, data) => writeFull(handle, offset, data),
    truncate: (size) => handle.truncate(size),
    close: () => handle.close(),
  };
}

async function readFull(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  for (let done = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
    done += bytesRead;
    if (bytesRead === 0 || done === length) return buffer.subarray(0, done);
  }
}

async function writeFull(handle: FileHandle, offset: number, data: Uint8Array): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, offset + done);
    done += bytesWritten;
  }
}
