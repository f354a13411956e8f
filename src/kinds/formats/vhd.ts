import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { defineFormat } from '../../core/kinds.ts';
import {
  convertArgv,
  convertWithIdentity,
  copyDisk,
  idBytes,
  patchFile,
  qemuImg,
  whileIdentified,
} from '../disk-files/convert.ts';
import { diskBytes } from '../disk-files/data.ts';
import { fixedFooter, mostVhdBytes, stampFooter } from '../disk-files/vhd.ts';

const options = z.strictObject({
  subformat: z
    .enum(['fixed', 'dynamic'])
    .default('fixed')
    .describe('fixed: what Azure takes, a whole number of MiB; dynamic: smaller, for older Hyper-V.'),
});
type Options = z.infer<typeof options>;

const mebibyte = 1024 ** 2;
const sector = 512;

/** The older disk of Hyper-V, which is the one that Azure takes. */
export const vhd = defineFormat<Options>({
  name: 'vhd',
  version: 2,
  summary: 'The disk image of Azure (fixed, a whole number of MiB) and of older Hyper-V (dynamic).',
  options,
  example: { subformat: 'fixed' },
  title: (o) => `vhd (${o.subformat})`,
  tools: () => [qemuImg],
  extension: () => 'vhd',
  boots: () => 'vpc',
  write: async (o, { disk, output }, ctx) => {
    const bytes = await diskBytes(disk, ctx);
    if (bytes > mostVhdBytes) {
      const message = `a vhd holds at most 2040 GiB, and the disk has ${bytes} bytes`;
      throw new IngotError({ code: 'SPEC_INVALID', message, hint: 'use vhdx, or a smaller disk' });
    }
    await (o.subformat === 'fixed' ? writeFixed : writeDynamic)(disk, output, ctx);
  },
});

/** The bytes of the disk, zeros up to a whole MiB, and a footer. */
async function writeFixed(disk: string, output: string, ctx: Context): Promise<void> {
  const bytes = Math.ceil((await diskBytes(disk, ctx)) / mebibyte) * mebibyte;
  const identity = await whileIdentified(disk, (one) => copyDisk(disk, output, one), ctx);
  await patchFile(output, ctx, (file) => file.write(bytes, fixedFooter(bytes, idBytes(identity, 'vhd'))));
}

/** The footer stands at both ends. Without force_size QEMU would round the disk up to whole cylinders. */
async function writeDynamic(disk: string, output: string, ctx: Context): Promise<void> {
  const argv = convertArgv('vpc', ['-o', 'subformat=dynamic,force_size=on'], disk, output);
  const identity = await convertWithIdentity(argv, disk, ctx);
  const end = (await diskBytes(output, ctx)) - sector;
  await patchFile(output, ctx, async (file) => {
    const footer = stampFooter(await file.read(end, sector), idBytes(identity, 'vhd'));
    await file.write(0, footer);
    await file.write(end, footer);
  });
}
