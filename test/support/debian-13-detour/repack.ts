import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Archive } from './archive.ts';
import { formatStanza, nameOf, type Stanza } from './stanzas.ts';

const exec = promisify(execFile);

/** A package of the installer that is made from others: whose files, by the ends of their paths, as in the installer's own. */
export type Recipe = { readonly from: readonly string[]; readonly files: readonly RegExp[] };

/** Where packages of the system are unpacked, and where work is done. */
export type Place = { readonly unpack: (name: string) => Promise<string>; readonly folder: string };

/** A package of the installer as it is served. */
export type Made = { readonly stanza: Stanza; readonly bytes: Buffer };

/** Make a package of the installer, under its own name and version, from packages of the system. */
export async function repack(stanza: Stanza, recipe: Recipe, { unpack, folder }: Place): Promise<Made> {
  const work = await mkdtemp(join(folder, 'udeb-'));
  const tree = join(work, 'tree');
  let count = 0;
  for (const name of recipe.from) {
    const unpacked = await unpack(name);
    const paths = (await readdir(unpacked, { recursive: true })).filter((path) =>
      recipe.files.some((file) => file.test(path)),
    );
    for (const path of paths) {
      await mkdir(dirname(join(tree, path)), { recursive: true });
      await cp(join(unpacked, path), join(tree, path), { verbatimSymlinks: true });
    }
    count += paths.length;
  }
  if (count < recipe.files.length) throw new Error(`too few files for ${nameOf(stanza)} in ${recipe.from.join(' ')}`);
  await mkdir(join(tree, 'DEBIAN'));
  await writeFile(join(tree, 'DEBIAN/control'), formatStanza(controlOf(stanza)));
  const udeb = join(work, 'made.udeb');
  await exec('dpkg-deb', ['--build', '--root-owner-group', '-Zxz', tree, udeb]);
  return served(stanza, await readFile(udeb));
}

const onlyInIndex = ['Filename', 'Size', 'MD5sum', 'SHA256', 'Description-md5'];

function controlOf(stanza: Stanza): Stanza {
  return new Map([...stanza].filter(([name]) => !onlyInIndex.includes(name)));
}

function served(stanza: Stanza, bytes: Buffer): Made {
  const hash = (kind: string) => createHash(kind).update(bytes).digest('hex');
  const facts = { Size: String(bytes.length), MD5sum: hash('md5'), SHA256: hash('sha256') };
  return { stanza: new Map([...stanza, ...Object.entries(facts)]), bytes };
}

/** Unpacks packages of an index by their names, each once. */
export function unpacker(archive: Archive, index: readonly Stanza[], folder: string) {
  const done = new Map<string, Promise<string>>();
  return (name: string): Promise<string> => {
    const unpacked = done.get(name) ?? unpackOne(archive, index, { name, folder });
    done.set(name, unpacked);
    return unpacked;
  };
}

async function unpackOne(
  archive: Archive,
  index: readonly Stanza[],
  { name, folder }: { readonly name: string; readonly folder: string },
): Promise<string> {
  const stanza = index.findLast((candidate) => nameOf(candidate) === name);
  if (stanza === undefined) throw new Error(`the archive has no package ${name}`);
  const [deb, unpacked] = [join(folder, `${name}.deb`), join(folder, name)];
  await writeFile(deb, await archive.download(stanza));
  await exec('dpkg-deb', ['-x', deb, unpacked]);
  return unpacked;
}
