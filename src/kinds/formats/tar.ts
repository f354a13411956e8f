import { z } from 'zod';
import { defineFormat } from '../../core/kinds.ts';
import { ext4Tree } from '../../qemu/ext4-tree.ts';
import { compressions, packStream, suffixes, toolsOf } from '../disk-files/compression.ts';
import { rootOf, tarOf } from '../disk-files/root-tar.ts';

const options = z.strictObject({ compression: z.enum(compressions).default('none') });
type Options = z.infer<typeof options>;

/** The files of the root file system, for containers and installers; no disk. */
export const tar = defineFormat<Options>({
  name: 'tar',
  version: 1,
  summary: 'The root file system as a tar archive, with owners, links, devices, capabilities and access control lists.',
  options,
  example: { compression: 'zstd' },
  title: (o) => `tar${suffixes[o.compression]}`,
  tools: (o) => toolsOf(o.compression),
  extension: (o) => `tar${suffixes[o.compression]}`,
  boots: () => undefined,
  write: async (o, { disk, output }, ctx) => {
    const root = await rootOf(disk, ctx);
    try {
      await packStream(o.compression, tarOf(ext4Tree(root.volume), ctx.signal), output, ctx);
    } finally {
      await root.close();
    }
  },
});
