import { z } from 'zod';
import { defineFormat } from '../../core/kinds.ts';
import { ext4Tree } from '../../qemu/ext4-tree.ts';
import { rootOf } from '../disk-files/root-tar.ts';
import { hasFittingLevel, levelProblem, squashFields, tar2sqfs, writeSquash } from '../disk-files/squash.ts';

const options = z.strictObject(squashFields);
type Options = z.infer<typeof options>;

/** The files of the root file system in one that is read-only and compressed, for live systems and containers; no disk. */
export const squashfs = defineFormat<Options>({
  name: 'squashfs',
  version: 1,
  summary: 'The root file system as a compressed file system that is only read, for live systems and netboot.',
  options: options.refine(hasFittingLevel, levelProblem),
  example: { compression: 'xz' },
  title: (o) => `squashfs (${o.compression})`,
  tools: () => [tar2sqfs],
  extension: () => 'squashfs',
  boots: () => undefined,
  write: async (o, { disk, output }, ctx) => {
    const root = await rootOf(disk, ctx);
    try {
      await writeSquash(o, { tree: ext4Tree(root.volume), output, time: root.volume.madeAt }, ctx);
    } finally {
      await root.close();
    }
  },
});
