import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import type { Tool } from '../../core/kinds.ts';
import type { TreeEntry } from '../../qemu/ext4-tree.ts';
import { tarOf } from './root-tar.ts';

/** What formats with a squashfs in them ask for. */
export const squashFields = {
  compression: z
    .enum(['zstd', 'xz', 'gzip'])
    .default('zstd')
    .describe('xz is smaller and slower; gzip is read by any kernel.'),
  level: z
    .int()
    .min(1)
    .max(22)
    .optional()
    .describe('How hard to compress: to 22 with zstd (default 15), to 9 with xz (default 6) and gzip (default 9).'),
};

export type SquashOptions = {
  readonly compression: 'zstd' | 'xz' | 'gzip';
  readonly level?: number | undefined;
};

/** For `refine`. */
export function hasFittingLevel({ compression, level = 1 }: SquashOptions): boolean {
  return compression === 'zstd' || level <= 9;
}
export const levelProblem = { message: 'only zstd has levels above 9', path: ['level'] };

export const tar2sqfs: Tool = {
  program: 'tar2sqfs',
  debian: 'squashfs-tools-ng',
  why: 'makes squashfs file systems',
};

/** Write a squashfs of a tree; `time`: of the file system as a whole, in seconds since 1970; its files keep theirs. */
export async function writeSquash(
  o: SquashOptions,
  { tree, output, time }: { readonly tree: AsyncIterable<TreeEntry>; readonly output: string; readonly time: number },
  { host, signal }: Context,
): Promise<void> {
  await host.run({ argv: tar2sqfsArgv(o, output, time) }, { signal, stdin: tarOf(tree, signal) });
}

/**
 * Not by sqfstar (seen in 4.5.1): two runs give two files, it does not look at the entry for the root, and takes the slash
 * from the target of long links.
 */
export function tar2sqfsArgv(
  { compression, level }: SquashOptions,
  output: string,
  time: number,
): readonly [string, ...string[]] {
  const extra = level === undefined ? [] : ['--comp-extra', `level=${level}`];
  const how = ['--compressor', compression, ...extra, '--defaults', `mtime=${time}`];
  return ['tar2sqfs', '--quiet', '--no-skip', ...how, output];
}
