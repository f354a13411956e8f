import type { Context } from '../../core/context.ts';
import type { OpenFile } from '../../core/host.ts';
import { uuidFrom } from '../../core/keys.ts';
import { diskBytes } from './data.ts';
import { diskIdentity } from './identity.ts';

export const qemuImg = { program: 'qemu-img', debian: 'qemu-utils', why: 'disk image formats' } as const;

type Argv = readonly [string, ...string[]];

/**
 * The argv that writes a raw disk in a format of QEMU's. Without `-W`: parallel writers would place clusters in another
 * order each time.
 */
export function convertArgv(driver: string, words: readonly string[], disk: string, output: string): Argv {
  return ['qemu-img', 'convert', '-p', '-f', 'raw', '-O', driver, ...words, disk, output];
}

/** Copy a raw disk, zeros as holes. Here writers may work side by side: each byte has its place. */
export function copyDisk(disk: string, output: string, ctx: Context): Promise<void> {
  return convert(convertArgv('raw', ['-W'], disk, output), disk, ctx);
}

/** Run `convertArgv` and tell how far it is. */
export async function convert(argv: Argv, disk: string, ctx: Context): Promise<void> {
  const total = await diskBytes(disk, ctx);
  const onLine = (line: string) => {
    const [, percent] = /^\s*\((\d+(?:\.\d+)?)\/100%\)$/.exec(line) ?? [];
    if (percent === undefined) return;
    const done = Math.round((Number(percent) / 100) * total);
    ctx.emit({ type: 'progress', id: ctx.step, done, total, unit: 'bytes' });
  };
  await ctx.host.run({ argv }, { signal: ctx.signal, onLine });
}

/** The same, while the identity of the disk is found: what QEMU makes up at random is to be set from it. */
export async function convertWithIdentity(argv: Argv, disk: string, ctx: Context): Promise<string> {
  return whileIdentified(disk, (one) => convert(argv, disk, one), ctx);
}

/** Do something with a raw disk while its identity is found. */
export async function whileIdentified(
  disk: string,
  action: (ctx: Context) => Promise<unknown>,
  ctx: Context,
): Promise<string> {
  return bothOrNone((one) => diskIdentity(disk, one), action, ctx);
}

/** Change a file in its place. */
export async function patchFile(path: string, ctx: Context, patch: (file: OpenFile) => Promise<void>): Promise<void> {
  const file = await ctx.host.files.open(path, 'change');
  try {
    await patch(file);
  } finally {
    await file.close();
  }
}

/** Sixteen bytes for a container's id: always the same for one disk and one use. */
export function idBytes(identity: string, use: string): Buffer {
  return Buffer.from(uuidFrom(identity, use).replaceAll('-', ''), 'hex');
}

/** Do two things at once; when one fails the other is stopped, and has ended, before that is told. */
async function bothOrNone<T>(
  first: (ctx: Context) => Promise<T>,
  second: (ctx: Context) => Promise<unknown>,
  ctx: Context,
): Promise<T> {
  const stop = new AbortController();
  const inside = { ...ctx, signal: AbortSignal.any([ctx.signal, stop.signal]) };
  const running = [first(inside), second(inside)] as const;
  try {
    const [result] = await Promise.all(running);
    return result;
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(running);
    throw error;
  }
}
