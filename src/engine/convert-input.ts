import { basename, join } from 'node:path';
import type { Context } from '../core/context.ts';
import { withRoom } from '../core/space.ts';
import { compressionOf, limitsFor, unpackFile } from '../host/unpack.ts';
import { convertForeign } from '../qemu/convert.ts';
import { asRaw } from '../qemu/img.ts';
import { type DiskFormat, diskFormats, vetDisk } from '../qemu/vet.ts';

const packedEnding = /\.(xz|zst|gz|bz2)$/;

/**
 * The raw disk that an image file holds: itself, or a copy in `scratch`. It is unpacked where it is compressed, and looked
 * at before any program opens it; what is not a disk, or leads elsewhere, is INPUT_REFUSED.
 */
export async function bringRaw(path: string, scratch: string, ctx: Context): Promise<string> {
  const name = basename(path);
  const plain = await unpacked(path, scratch, ctx);
  const vetted = await vetDisk({ path: plain, name, format: saidFormat(name) }, ctx);
  if (vetted.format === 'raw') return ctx.host.files.realPath(plain);
  const raw = join(scratch, 'disk.raw');
  return withRoom(raw, vetted.virtualSize, async () => {
    if (vetted.format === 'qcow2') return asRaw({ path: plain, format: 'qcow2' }, raw, ctx);
    const converted = await convertForeign({ path: plain, name, ...vetted }, scratch, ctx);
    return asRaw({ path: converted, format: 'qcow2' }, raw, ctx);
  });
}

async function unpacked(from: string, scratch: string, ctx: Context): Promise<string> {
  const stat = await ctx.host.files.realPath(from).then(
    (path) => ctx.host.files.stat(path),
    () => undefined,
  );
  // Whoever looks at it next says what is wrong with it.
  if (stat?.kind !== 'file') return from;
  const compression = await compressionOf(from);
  if (compression === undefined) return from;
  const to = join(scratch, 'unpacked');
  const onProgress = (done: number) =>
    ctx.emit({ type: 'progress', id: ctx.step, done, total: stat.size, unit: 'bytes' });
  const request = { from, to, compression, name: basename(from), limits: limitsFor(stat.size), signal: ctx.signal };
  await withRoom(to, stat.size, () => unpackFile({ ...request, onProgress }));
  return to;
}

/** What the name says the disk is; `.img` says nothing. */
function saidFormat(name: string): DiskFormat | undefined {
  const ending = name.replace(packedEnding, '').split('.').at(-1);
  return diskFormats.find((format) => format === ending);
}
