import { dirname, join } from 'node:path';
import type { SourceContext } from '../../../core/kinds.ts';

/** A FAT file system with this label and these files, as mtools(1) makes it. */
export async function writeSeedDisk(
  files: ReadonlyMap<string, string | Uint8Array>,
  label: string,
  { host, signal, folder }: SourceContext,
): Promise<string> {
  const image = join(folder, 'answers.img');
  const content = join(folder, 'answers');
  for (const [name, data] of files) {
    await host.files.makeDirectory(dirname(join(content, name)), 0o700);
    await host.files.write(join(content, name), data, 0o600);
  }
  for (const argv of seedDiskArgvs(image, { label, content, names: topNames(files) }))
    await host.run({ argv }, { signal });
  return image;
}

type Argv = readonly [string, ...string[]];
type Seed = { readonly label: string; readonly content: string; readonly names: readonly string[] };

// Large enough for scripts, too small for anybody to take it for the disk to install on.
const kibibytes = 2880;

export function seedDiskArgvs(image: string, { label, content, names }: Seed): readonly Argv[] {
  return [
    ['mformat', '-C', '-f', String(kibibytes), '-v', label, '-i', image, '::'],
    ['mcopy', '-s', '-i', image, ...names.map((name) => `${content}/${name}`), '::'],
  ];
}

function topNames(files: ReadonlyMap<string, unknown>): readonly string[] {
  return [...new Set([...files.keys()].map((name) => name.split('/')[0] ?? name))];
}
