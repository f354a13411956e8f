import { z } from 'zod';
import { defineFormat } from '../../core/kinds.ts';

const options = z.strictObject({
  compression: z
    .enum(['none', 'zstd', 'gzip'])
    .default('none')
    .describe("none: a sparse file of the disk's full size."),
});
type Options = z.infer<typeof options>;

const extensions = { none: 'raw', zstd: 'raw.zst', gzip: 'raw.gz' } as const;

/** The bytes of the disk, sparse or compressed. */
export const raw = defineFormat<Options>({
  name: 'raw',
  version: 1,
  summary: 'The bytes of the disk as they are, sparse or compressed.',
  options: options,
  example: { compression: 'zstd' },
  title: (o) => (o.compression === 'none' ? 'raw' : `raw (${o.compression})`),
  tools: (o) => (o.compression === 'zstd' ? [{ program: 'zstd', debian: 'zstd', why: 'compressed raw disks' }] : []),
  extension: (o) => extensions[o.compression],
  boots: (o) => (o.compression === 'none' ? 'raw' : undefined),
  unpack: async (o, { file, output }, ctx) => {
    await ctx.host.run({ argv: unpackArgv(o, file, output) }, { signal: ctx.signal });
    return 'raw';
  },
  write: async (o, { disk, output }, ctx) => {
    await ctx.host.run(
      { argv: writeArgv(o, disk, output) },
      { signal: ctx.signal, ...(o.compression === 'gzip' ? { stdoutFile: output } : {}) },
    );
  },
});

/** Holes come back as holes; a damaged file is a failure. */
export function unpackArgv(o: Options, file: string, output: string): [string, ...string[]] {
  if (o.compression === 'zstd') return ['zstd', '-q', '-d', '--sparse', '-o', output, file];
  if (o.compression === 'none') return ['cp', '--sparse=always', file, output];
  const script = 'gzip -dc -- "$0" | dd of="$1" bs=1M iflag=fullblock conv=sparse status=none';
  return ['bash', '-o', 'pipefail', '-c', script, file, output];
}

/** gzip writes to stdout, without a name or a time in its header. */
export function writeArgv(o: Options, disk: string, output: string): [string, ...string[]] {
  if (o.compression === 'zstd') return ['zstd', '-q', '-3', '-T0', '-o', output, disk];
  if (o.compression === 'gzip') return ['gzip', '-n', '-6', '-c', disk];
  return ['cp', '--sparse=always', disk, output];
}
