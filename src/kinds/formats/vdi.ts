import { z } from 'zod';
import { defineFormat } from '../../core/kinds.ts';
import { convertArgv, convertWithIdentity, idBytes, patchFile, qemuImg } from '../disk-files/convert.ts';

const options = z.strictObject({});
type Options = z.infer<typeof options>;

/** VirtualBox knows disks by these: of the image, and of its last change (VDIHEADER1PLUS in VirtualBox's VDICore.h). */
const ids = { image: 0x188, change: 0x198 } as const;

/** The disk of VirtualBox. */
export const vdi = defineFormat<Options>({
  name: 'vdi',
  version: 2,
  summary: 'The disk image of VirtualBox.',
  options,
  example: {},
  title: () => 'vdi',
  tools: () => [qemuImg],
  extension: () => 'vdi',
  boots: () => 'vdi',
  write: async (_, { disk, output }, ctx) => {
    const identity = await convertWithIdentity(convertArgv('vdi', [], disk, output), disk, ctx);
    await patchFile(output, ctx, async (file) => {
      await file.write(ids.image, idBytes(identity, 'vdi image'));
      await file.write(ids.change, idBytes(identity, 'vdi change'));
    });
  },
});
