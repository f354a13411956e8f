import { z } from 'zod';
import { defineFormat } from '../../core/kinds.ts';
import { rootOf, tarOf } from '../disk-files/root-tar.ts';

const options = z.strictObject({
  compression: z
    .enum(['zstd', 'xz', 'gzip'])
    .default('zstd')
    .describe('xz is smaller and slower; gzip is read by any kernel.'),
});
type Options = z.infer<typeof options>;

/** The files of the root file system in one that is read-only and compressed, for live systems and containers; no disk. */
export const squashfs = defineFormat<Options>({
  name: 'squashfs',
  version: 1,
  summary: 'The root file system as a compressed file system that is only read, for live systems and netboot.',
  options,
  example: { compression: 'xz' },
  title: (o) => `squashfs (${o.compression})`,
  tools: () => [{ program: 'tar2sqfs', debian: 'squashfs-tools-ng', why: 'makes squashfs file systems' }],
  extension: () => 'squashfs',
  boots: () => undefined,
  write: async (o, { disk, output }, ctx) => {
    const root = await rootOf(disk, ctx);
    try {
      const argv = tar2sqfsArgv(o, output, root.volume.madeAt);
      await ctx.host.run({ argv }, { signal: ctx.signal, stdin: tarOf(root.volume, ctx.signal) });
    } finally {
      await root.close();
    }
  },
});

/**
 * Not by sqfstar (seen in 4.5.1): two runs give two files, it does not look at the entry for the root, and takes the slash
 * from the target of long links. `time`: of the file system as a whole, in seconds since 1970; its files keep theirs.
 */
export function tar2sqfsArgv(o: Options, output: string, time: number): readonly [string, ...string[]] {
  return ['tar2sqfs', '--quiet', '--no-skip', '--compressor', o.compression, '--defaults', `mtime=${time}`, output];
}
