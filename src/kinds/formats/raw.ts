import { z } from 'zod';
import { indexEnding } from '../../chunks/index-file.ts';
import { defineFormat } from '../../core/kinds.ts';
import { packChunked } from '../disk-files/chunked.ts';
import { compressions, packFile, suffixes, toolsOf, unpackFile } from '../disk-files/compression.ts';
import { qemuImg } from '../disk-files/convert.ts';

const options = z.strictObject({
  compression: z
    .enum(compressions)
    .default('none')
    .describe(
      "none: a sparse file of the disk's full size. zstd: in chunks, with a list of them for `ingot fetch` (NAME.raw.zst.chunks).",
    ),
});
type Options = z.infer<typeof options>;

/** The bytes of the disk, sparse or compressed. */
export const raw = defineFormat<Options>({
  name: 'raw',
  version: 2,
  summary: 'The bytes of the disk as they are, sparse or compressed.',
  options: options,
  example: { compression: 'zstd' },
  title: (o) => (o.compression === 'none' ? 'raw' : `raw (${o.compression})`),
  tools: (o) => (o.compression === 'none' ? [qemuImg] : toolsOf(o.compression)),
  extension: (o) => `raw${suffixes[o.compression]}`,
  beside: (o) => (o.compression === 'zstd' ? [`raw.zst.${indexEnding}`] : []),
  boots: (o) => (o.compression === 'none' ? 'raw' : undefined),
  unpack: async (o, { file, output }, ctx) => {
    await unpackFile(o.compression, file, output, ctx);
    return 'raw';
  },
  write: (o, { disk, output }, ctx) =>
    o.compression === 'zstd' ? packChunked(disk, output, ctx) : packFile(o.compression, disk, output, ctx),
});
