import { z } from 'zod';
import { defineFormat } from '../../core/kinds.ts';

const options = z.strictObject({
  compression: z.enum(['zstd', 'zlib', 'none']).default('zstd').describe('zlib is read by QEMU older than 5.1 too.'),
});
type Options = z.infer<typeof options>;

/** The disk as QEMU, Proxmox, libvirt and OpenStack use it. */
export const qcow2 = defineFormat<Options>({
  name: 'qcow2',
  version: 1,
  summary: 'The disk image of QEMU, Proxmox, libvirt and OpenStack, compressed.',
  options: options,
  example: { compression: 'zstd' },
  title: (o) => (o.compression === 'none' ? 'qcow2' : `qcow2 (${o.compression})`),
  tools: () => [{ program: 'qemu-img', debian: 'qemu-utils', why: 'disk image formats' }],
  extension: () => 'qcow2',
  boots: () => 'qcow2',
  write: async (o, { disk, output }, ctx) => {
    await ctx.host.run({ argv: convertArgv(o, disk, output) }, { signal: ctx.signal });
  },
});

/** Without `-W`: parallel writers would place clusters in another order each time. */
export function convertArgv(o: Options, disk: string, output: string): [string, ...string[]] {
  const compression = o.compression === 'none' ? [] : ['-c', '-o', `compression_type=${o.compression}`];
  return ['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', ...compression, disk, output];
}
