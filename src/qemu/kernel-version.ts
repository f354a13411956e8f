import type { Files } from '../core/host.ts';

/**
 * The version that an x86 kernel says it has, such as `6.1.0-31-amd64` (Linux, Documentation/arch/x86/boot.rst: header
 * field kernel_version); undefined for other files.
 */
export async function kernelVersionOf(path: string, files: Pick<Files, 'read'>): Promise<string | undefined> {
  const header = await files.read(path, { offset: 0x200, length: 0x10 });
  if (header.toString('latin1', 2, 6) !== 'HdrS') return undefined;
  const text = await files.read(path, { offset: header.readUInt16LE(0xe) + 0x200, length: 200 });
  return /^\d+\.\d+[\w.+~-]*/.exec(text.toString('latin1'))?.[0];
}
