import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import { defineFormat } from '../../core/kinds.ts';
import { packStream, toolsOf } from '../disk-files/compression.ts';
import { qemuImg } from '../disk-files/convert.ts';
import { bytesOf, dataRuns, diskBytes, type Run } from '../disk-files/data.ts';
import { progressOf } from '../disk-files/progress.ts';
import { openHeader, sealHeader, tarEnd, tarPadding, writeNumber } from '../disk-files/tar-header.ts';

const options = z.strictObject({});
type Options = z.infer<typeof options>;

const gibibyte = 1024 ** 3;
/** Fewer zeros than this between two runs are written out: a run has its own price. */
const gap = 65_536;

/**
 * What Google Compute Engine imports: a tar of the older GNU format, compressed, with one sparse member `disk.raw` of a
 * whole number of GiB.
 */
export const gcp = defineFormat<Options>({
  name: 'gcp',
  version: 1,
  summary: 'The archive that Google Cloud imports: `disk.raw`, grown to a whole number of GiB, in a tar.gz.',
  options,
  example: {},
  title: () => 'gcp (tar.gz)',
  tools: () => [qemuImg, ...toolsOf('gzip')],
  extension: () => 'gcp.tar.gz',
  boots: () => undefined,
  unpack: async (_, { file, output }, { host, signal }) => {
    const script = 'tar -xzOf "$0" disk.raw | dd of="$1" bs=1M iflag=fullblock conv=sparse status=none';
    await host.run({ argv: ['bash', '-o', 'pipefail', '-c', script, file, output] }, { signal });
    return 'raw';
  },
  write: (_, { disk, output }, ctx) => packStream('gzip', archive(disk, ctx), output, ctx),
});

async function* archive(disk: string, ctx: Context): AsyncGenerator<Uint8Array> {
  const size = Math.ceil((await diskBytes(disk, ctx)) / gibibyte) * gibibyte;
  const runs = await dataRuns(disk, gap, ctx);
  const stored = runs.reduce((sum, { start, end }) => sum + end - start, 0);
  const blocks = sparseHeader(runs, { size, stored });
  yield* blocks;
  const tell = progressOf(stored, ctx);
  let done = 0;
  const file = await ctx.host.files.open(disk, 'read');
  try {
    for (const run of runs) {
      for await (const bytes of bytesOf(file, run)) {
        yield bytes;
        done += bytes.length;
        tell(done);
      }
    }
  } finally {
    await file.close();
  }
  const padding = tarPadding(stored);
  yield padding;
  yield tarEnd(blocks.length * 512 + stored + padding.length);
}

const inHeader = 4;
const inBlock = 21;

/** Where the runs of a sparse file belong: four of them in its header, then 21 in each block (tar(5), "GNU tar archives"). */
export function sparseHeader(
  runs: readonly Run[],
  { size, stored }: { readonly size: number; readonly stored: number },
): readonly Buffer[] {
  // A last run without bytes says that the file ends with a hole.
  const all = runs.at(-1)?.end === size ? runs : [...runs, { start: size, end: size }];
  const header = openHeader({ name: 'disk.raw', type: 'S', mode: 0o644, size: stored }, 'gnu');
  writeRuns(header, 386, all.slice(0, inHeader));
  header[482] = all.length > inHeader ? 1 : 0;
  writeNumber(header, { at: 483, length: 12 }, size);
  const blocks = [sealHeader(header)];
  for (let at = inHeader; at < all.length; at += inBlock) {
    const block = Buffer.alloc(512);
    writeRuns(block, 0, all.slice(at, at + inBlock));
    block[504] = all.length > at + inBlock ? 1 : 0;
    blocks.push(block);
  }
  return blocks;
}

function writeRuns(block: Buffer, at: number, runs: readonly Run[]): void {
  for (const [index, { start, end }] of runs.entries()) {
    writeNumber(block, { at: at + index * 24, length: 12 }, start);
    writeNumber(block, { at: at + index * 24 + 12, length: 12 }, end - start);
  }
}
