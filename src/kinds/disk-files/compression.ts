import type { Context } from '../../core/context.ts';
import type { Tool } from '../../core/kinds.ts';
import { copyDisk } from './convert.ts';

export const compressions = ['none', 'zstd', 'gzip', 'xz'] as const;
export type Compression = (typeof compressions)[number];

/** What the name of a compressed file ends in. */
export const suffixes: Readonly<Record<Compression, string>> = { none: '', zstd: '.zst', gzip: '.gz', xz: '.xz' };

const tools: Readonly<Record<Compression, readonly Tool[]>> = {
  none: [],
  zstd: [{ program: 'zstd', debian: 'zstd', why: 'compresses disks' }],
  gzip: [{ program: 'gzip', debian: 'gzip', why: 'compresses disks' }],
  xz: [{ program: 'xz', debian: 'xz-utils', why: 'compresses disks' }],
};

export function toolsOf(compression: Compression): readonly Tool[] {
  return tools[compression];
}

type Argv = readonly [string, ...string[]];
type Packing = Exclude<Compression, 'none'>;

/**
 * The filter that compresses stdin to stdout; its output does not depend on how many cores there are. xz cuts its input
 * into blocks only when it has more than one thread.
 */
export function packArgv(compression: Packing, cpus: number): Argv {
  if (compression === 'zstd') return ['zstd', '-q', '-3', '-T0', '-c'];
  if (compression === 'gzip') return ['gzip', '-n', '-6', '-c'];
  return ['xz', '-q', '-6', `--threads=${Math.max(2, cpus)}`, '-c'];
}

/** Compress a disk; what is not compressed is a sparse copy, for which qemu-img is wanted. */
export async function packFile(compression: Compression, from: string, to: string, ctx: Context): Promise<void> {
  if (compression === 'none') await copyDisk(from, to, ctx);
  else await runTo(to, [...packArgv(compression, ctx.host.cpus), from], {}, ctx);
}

/** Compress bytes as they come. */
export async function packStream(
  compression: Compression,
  chunks: AsyncIterable<Uint8Array>,
  to: string,
  ctx: Context,
): Promise<void> {
  if (compression !== 'none') return runTo(to, packArgv(compression, ctx.host.cpus), { stdin: chunks }, ctx);
  const file = await ctx.host.files.open(to, 'new');
  try {
    let offset = 0;
    for await (const chunk of chunks) {
      ctx.signal.throwIfAborted();
      await file.write(offset, chunk);
      offset += chunk.length;
    }
  } finally {
    await file.close();
  }
}

/** What a program writes to stdout, as a file that everybody may read. */
async function runTo(
  to: string,
  argv: Argv,
  options: { readonly stdin?: AsyncIterable<Uint8Array> },
  ctx: Context,
): Promise<void> {
  await ctx.host.files.write(to, '', 0o644);
  await ctx.host.run({ argv }, { signal: ctx.signal, stdoutFile: to, ...options });
}

/** Holes come back as holes; a damaged file is a failure. */
export function unpackArgv(compression: Compression, from: string, to: string): Argv {
  if (compression === 'none') return ['cp', '--sparse=always', from, to];
  if (compression === 'zstd') return ['zstd', '-q', '-d', '--sparse', '-o', to, from];
  const script = `${compression} -dc -- "$0" | dd of="$1" bs=1M iflag=fullblock conv=sparse status=none`;
  return ['bash', '-o', 'pipefail', '-c', script, from, to];
}

/** Unpack a file that `packFile` or `packStream` wrote. */
export async function unpackFile(compression: Compression, from: string, to: string, ctx: Context): Promise<void> {
  await ctx.host.run({ argv: unpackArgv(compression, from, to) }, { signal: ctx.signal });
}
