import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';

/** Files on a disk of their own, which an installer finds by its label. */
export type AnswersDisk = {
  readonly label: string;
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  readonly epoch: number;
  /** The image to write, and an empty folder for work files. */
  readonly output: string;
  readonly folder: string;
};

/** Write a FAT file system with this label and these files; the same for the same. */
export async function writeAnswersDisk(disk: AnswersDisk, ctx: Context): Promise<void> {
  const { files, folder, epoch } = disk;
  const { host, signal } = ctx;
  const places: string[] = [];
  for (const [name, data] of files) {
    const place = join(folder, name);
    await host.files.makeDirectory(dirname(place), 0o700);
    await host.files.write(place, data, 0o600);
    places.push(place);
  }
  const env = { SOURCE_DATE_EPOCH: String(epoch), TZ: 'UTC', MTOOLS_SKIP_CHECK: '1' };
  await host.run({ argv: ['touch', '-d', `@${epoch}`, '--', ...places] }, { signal });
  for (const argv of diskArgvs(disk)) await host.run({ argv, env }, { signal });
}

type Argv = readonly [string, ...string[]];

/** One mebibyte each for what a file system needs and for what it is rounded up to. */
const spareBytes = 2 * 1024 * 1024;
const sectorBytes = 512;

/** Makes the file system and puts the files into it, folders first. */
export function diskArgvs({ label, files, output, folder }: AnswersDisk): readonly Argv[] {
  const names = [...files.keys()].sort();
  const bytes = [...files.values()].reduce((sum, data) => sum + Buffer.byteLength(data), 0);
  const sectors = Math.ceil((2 * bytes + spareBytes) / sectorBytes);
  const serial = createHash('sha256')
    .update(`${label}\0${names.join('\0')}`)
    .digest('hex')
    .slice(0, 8);
  const folders = [...new Set(names.flatMap(foldersAbove))].sort();
  return [
    ['mformat', '-C', '-i', output, '-T', String(sectors), '-h', '64', '-s', '32', '-v', label, '-N', serial, '::'],
    ...folders.map((path): Argv => ['mmd', '-i', output, `::/${path}`]),
    ...names.map((name): Argv => ['mcopy', '-m', '-i', output, join(folder, name), `::/${name}`]),
  ];
}

function foldersAbove(name: string): readonly string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
