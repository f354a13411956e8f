import { z } from 'zod';
import { defineFormat } from '../../core/kinds.ts';
import { convert, convertArgv, qemuImg } from '../disk-files/convert.ts';

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
  tools: () => [qemuImg],
  extension: () => 'qcow2',
  boots: () => 'qcow2',
  write: (o, { disk, output }, ctx) => convert(qcow2Argv(o.compression, disk, output), disk, ctx),
});

export function qcow2Argv(compression: Options['compression'], disk: string, output: string) {
  return convertArgv(
    'qcow2',
    compression === 'none' ? [] : ['-c', '-o', `compression_type=${compression}`],
    disk,
    output,
  );
}
