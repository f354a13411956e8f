import { z } from 'zod';
import { defineFormat } from '../../core/kinds.ts';
import { qemuImg } from '../disk-files/convert.ts';
import { writeVmdk } from '../disk-files/vmdk.ts';

const options = z.strictObject({
  subformat: z
    .enum(['streamOptimized', 'sparse'])
    .default('streamOptimized')
    .describe(
      'streamOptimized: compressed, for import into vSphere; sparse: for VMware Workstation, Fusion and Player.',
    ),
});
type Options = z.infer<typeof options>;

/** The disk of VMware's products, in one file. */
export const vmdk = defineFormat<Options>({
  name: 'vmdk',
  version: 2,
  summary: 'The disk image of VMware, in one file, compressed for import or sparse.',
  options,
  example: { subformat: 'streamOptimized' },
  title: (o) => `vmdk (${o.subformat})`,
  tools: () => [qemuImg],
  extension: () => 'vmdk',
  boots: () => 'vmdk',
  write: (o, { disk, output }, ctx) => writeVmdk(o.subformat, disk, output, ctx),
});
