import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { Change } from '../../cli/requests/trace.ts';
import type { Files } from '../../core/host.ts';
import { contentsFile } from '../../run/finish.ts';

/** One entry of an image; `content` is a digest, or where a link leads. */
export type Entry = {
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  readonly size: string;
  readonly content: string;
};

/** Everything in a build's image by path; undefined when its list of contents is not there or damaged. */
export async function readContents(folder: string, files: Files): Promise<ReadonlyMap<string, Entry> | undefined> {
  const path = join(folder, contentsFile);
  if ((await files.stat(path)) === undefined) return undefined;
  try {
    return parseContents(zstdDecompressSync(await files.read(path)).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** From lines `TYPE MODE OWNER SIZE CONTENT PATH`, tab-separated (src/host/list-tree.ts). */
export function parseContents(text: string): ReadonlyMap<string, Entry> {
  const entries = text.split('\n').flatMap((line): readonly (readonly [string, Entry])[] => {
    const [type = '', mode = '', owner = '', size = '', ...rest] = line.split('\t');
    if (rest.length < 2) return [];
    // A path may hold tabs; so may a link's target, and then the last one is as good a guess as any.
    const cut = type === 'l' ? rest.length - 1 : 1;
    const entry = { type, mode, owner, size, content: rest.slice(0, cut).join('\t') };
    return [[rest.slice(cut).join('\t'), entry]];
  });
  return new Map(entries);
}

/** What is new, gone or other, by path; of what is other only in which way. */
export function compareContents(from: ReadonlyMap<string, Entry>, to: ReadonlyMap<string, Entry>): readonly Change[] {
  const paths = [...new Set([...from.keys(), ...to.keys()])].sort();
  return paths.flatMap((name): readonly Change[] => {
    const [before, after] = [from.get(name), to.get(name)];
    if (before === undefined) return after === undefined ? [] : [{ name, to: whole(after) }];
    if (after === undefined) return [{ name, from: whole(before) }];
    const facets = facetsOf(before, after);
    if (facets.length === 0) return [];
    const words = (entry: Entry) => facets.map((facet) => facet(entry)).join(', ');
    return [{ name, from: words(before), to: words(after) }];
  });
}

const typeNames: Readonly<Record<string, string>> = {
  f: 'file',
  d: 'folder',
  l: 'link',
  c: 'character device',
  b: 'block device',
  p: 'pipe',
  s: 'socket',
};

type Facet = (entry: Entry) => string;

function facetsOf(before: Entry, after: Entry): readonly Facet[] {
  if (before.type !== after.type) return [whole];
  return [
    ...(before.mode === after.mode ? [] : [({ mode }: Entry) => `mode ${mode}`]),
    ...(before.owner === after.owner ? [] : [({ owner }: Entry) => `owner ${owner}`]),
    ...(before.size === after.size && before.content === after.content ? [] : [content]),
  ];
}

function whole(entry: Entry): string {
  const { type } = entry;
  if (type === 'l') return content(entry);
  return type === 'f' ? `file, ${entry.size} B` : (typeNames[type] ?? type);
}

function content({ type, size, content: found }: Entry): string {
  return type === 'l' ? `link to ${found}` : `${size} B ${found.slice(0, 12)}`;
}
