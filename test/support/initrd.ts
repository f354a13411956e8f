import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CpioFile } from '../../src/core/cpio.ts';

/** These modules of a folder behind those that they depend on, as /modules of an initrd, numbered in the order of loading. */
export async function modulesOf(folder: string, wanted: readonly string[]): Promise<readonly CpioFile[]> {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('.ko'));
  const found = new Map(paths.map((path) => [path.split('/').at(-1)?.slice(0, -3).replaceAll('-', '_'), path]));
  const loaded = new Map<string, Buffer>();
  const load = async (name: string): Promise<void> => {
    const path = found.get(name);
    // Some are built into the kernel.
    if (path === undefined || loaded.has(name)) return;
    const data = await readFile(join(folder, path));
    const [, depends = ''] = /\0depends=([^\0]*)\0/.exec(data.toString('latin1')) ?? [];
    for (const other of depends.split(',')) await load(other);
    loaded.set(name, data);
  };
  for (const name of wanted) await load(name);
  return [...loaded].map(([name, data], i) => ({
    name: `modules/${String(i).padStart(2, '0')}-${name}.ko`,
    mode: 0o644,
    data,
  }));
}
