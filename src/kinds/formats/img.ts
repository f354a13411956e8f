import { z } from 'zod';
import { defineFormat } from '../../core/kinds.ts';
import { blockMap } from '../disk-files/bmap.ts';
import { compressions, packFile, suffixes, toolsOf, unpackFile } from '../disk-files/compression.ts';
import { qemuImg } from '../disk-files/convert.ts';

const options = z.strictObject({
  compression: z.enum(compressions).default('xz').describe('Raspberry Pi Imager reads all but zstd in any version.'),
  bmap: z
    .boolean()
    .default(true)
    .describe('Also write NAME.bmap, the block map by which bmaptool writes a card faster and checks it.'),
});
type Options = z.infer<typeof options>;

const extension = (o: Options) => `img${suffixes[o.compression]}`;

/** The bytes of the disk as those who write SD cards and USB sticks want them. */
export const img = defineFormat<Options>({
  name: 'img',
  version: 1,
  summary: 'The bytes of the disk for SD cards and USB sticks: `.img.xz` with a block map (`.bmap`).',
  options,
  example: { compression: 'xz' },
  title: (o) => extension(o),
  tools: (o) => [...toolsOf(o.compression), ...(o.bmap || o.compression === 'none' ? [qemuImg] : [])],
  extension,
  beside: (o) => (o.bmap ? ['bmap'] : []),
  boots: (o) => (o.compression === 'none' ? 'raw' : undefined),
  unpack: async (o, { file, output }, ctx) => {
    await unpackFile(o.compression, file, output, ctx);
    return 'raw';
  },
  write: async (o, { disk, output }, ctx) => {
    if (o.bmap) await ctx.host.files.write(bmapOf(output, extension(o)), await blockMap(disk, ctx));
    await packFile(o.compression, disk, output, ctx);
  },
});

/** bmaptool finds it by the name of the image, less what that ends in. */
function bmapOf(output: string, ending: string): string {
  return `${output.endsWith(`.${ending}`) ? output.slice(0, -ending.length - 1) : output}.bmap`;
}
