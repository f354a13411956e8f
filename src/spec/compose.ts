import type { Document } from './document.ts';
import { nearest, suggestion } from './nearest.ts';
import type { Entry, MapNode, Node, Spot } from './node.ts';
import type { Problems } from './problems.ts';
import { imageKeys } from './settings.ts';
import { shorten, show } from './words.ts';

/** The project's spec files as far as they are read; what is asked for and not there is noted in `missing`. */
export type Files = {
  readonly documents: ReadonlyMap<string, Document>;
  /** Paths that exist, read or not. */
  readonly paths: ReadonlySet<string>;
  /** Whether somebody looked for this file and it is not there. */
  readonly absent: (path: string) => boolean;
  readonly missing: Set<string>;
};

/** One top-level key after composing: where it was set last, and its merged value. */
export type Setting = Entry & { readonly origin: string };
export type Settings = ReadonlyMap<string, Setting>;

/** `whole` is false when a fragment is not there or cannot be read, which is told. */
export type Composed = { readonly settings: Settings; readonly whole: boolean };

type Layer = { readonly path: string; readonly root: MapNode };
/** One walk over an image and its fragments; `waits` when a file has yet to be read. */
type Walk = {
  readonly files: Files;
  readonly problems: Problems;
  readonly layers: Layer[];
  readonly seen: Set<string>;
  waits: boolean;
};

// A list here says which, not what to add: an image that says `firmware: [uefi]` wants no bios from a fragment. And
// another login is another login: the key of one is none of the other's.
const replaced = new Set(['arch', 'firmware', 'ssh']);

/**
 * An image with its fragments beneath it and the project's defaults beneath those: lists append, maps merge, single
 * values override, a fragment counts once. Undefined when files that it needs are yet to be read.
 */
export function compose(
  image: Layer,
  given: { readonly defaults: MapNode | undefined; readonly files: Files; readonly problems: Problems },
): Composed | undefined {
  const { files, problems, defaults } = given;
  const walk: Walk = { files, problems, layers: [], seen: new Set(), waits: false };
  const below = defaults === undefined || addLayers({ path: 'ingot.yaml', root: defaults }, [], walk);
  const whole = addLayers(image, [], walk) && below;
  if (walk.waits) return undefined;
  const settings = new Map<string, Setting>();
  for (const { path, root } of walk.layers) {
    for (const [key, entry] of root.entries) {
      if (key === 'extends' || isNothing(entry.value)) continue;
      const under = settings.get(key);
      const value = under === undefined ? entry.value : mergeSetting(key, under.value, entry.value);
      settings.set(key, { key: entry.key, value, origin: path });
    }
  }
  return { settings, whole };
}

/** Why a path in a spec file is refused, or undefined: it must lead into the project by itself. */
export function refusedPath(path: string): string | undefined {
  if (path === '' || path.includes('\0')) return `${show(path)} is not a path`;
  if (path.startsWith('/')) return `${show(path)} is an absolute path`;
  return path.split('/').includes('..') ? `${show(path)} could leave the project` : undefined;
}

export const pathHint = 'paths are relative to the folder that holds ingot.yaml, without ".."';

function addLayers(layer: Layer, chain: readonly string[], walk: Walk): boolean {
  walk.seen.add(layer.path);
  checkKeys(layer, walk.problems);
  const entry = layer.root.entries.get('extends');
  const uses = entry === undefined ? [] : extendsOf(entry, walk.problems);
  const here = [...chain, layer.path];
  // Every use is looked at, also after a bad one: all problems are told at once.
  const below = uses?.map((use) => addFragment(use, here, walk)) ?? [false];
  walk.layers.push(layer);
  return below.every(Boolean);
}

type Use = { readonly path: string; readonly spot: Spot };

function addFragment({ path, spot }: Use, chain: readonly string[], walk: Walk): boolean {
  const { files, problems } = walk;
  const wrong = refusedPath(path);
  const clean = path.replaceAll(/\/\.?(?=\/)/g, '').replace(/^(?:\.\/)+/, '');
  if (wrong !== undefined) {
    problems.at(spot, `extends: ${wrong}`, pathHint);
    return false;
  }
  if (chain.includes(clean)) {
    const circle = [...chain.slice(chain.indexOf(clean)), clean].map((part) => shorten(part)).join(' -> ');
    problems.at(spot, `extends goes in a circle: ${circle}`);
    return false;
  }
  if (walk.seen.has(clean)) return true;
  const document = files.documents.get(clean);
  if (document === undefined) {
    noFragment({ path: clean, spot }, walk);
    return false;
  }
  const { root, start, problems: own } = document.content();
  for (const problem of own) problems.add(problem);
  if (root === undefined) return own.length === 0;
  if (root.type === 'map') return addLayers({ path: clean, root }, chain, walk);
  problems.at(start, 'expected a map of settings');
  return false;
}

function noFragment({ path, spot }: Use, walk: Walk): void {
  const { files, problems } = walk;
  if (!files.absent(path)) {
    walk.waits = true;
    files.missing.add(path);
    return;
  }
  const near = nearest(path, [...files.documents.keys(), ...files.paths]);
  problems.at(spot, `no file ${show(path)} in the project`, near === undefined ? pathHint : `did you mean "${near}"?`);
}

function extendsOf(entry: Entry, problems: Problems): readonly Use[] | undefined {
  const { value } = entry;
  if (isNothing(value)) return [];
  const items = value.type === 'list' ? value.items : [value];
  const uses = items.map((item) =>
    item.type === 'scalar' && typeof item.value === 'string' ? { path: item.value, spot: item.spot } : undefined,
  );
  const paths = uses.filter((use) => use !== undefined);
  if (paths.length === items.length) return paths;
  problems.at(entry.key, 'extends: expected a list of paths of fragments', 'like: extends: [fragments/base.yaml]');
  return undefined;
}

function checkKeys({ root }: Layer, problems: Problems): void {
  for (const [key, entry] of root.entries) {
    if (imageKeys.includes(key)) continue;
    const hint =
      key === 'name' ? 'the name of an image is the name of its file' : suggestion(key, imageKeys, 'known keys');
    problems.at(entry.key, `unknown key ${show(key)}`, hint);
  }
}

function mergeSetting(key: string, below: Node, above: Node): Node {
  if (replaced.has(key)) return above;
  // Another kind of source is another source: the options of the one below say nothing about it.
  if (key === 'source' && !sameKind(below, above)) return above;
  return merge(below, above);
}

function merge(below: Node, above: Node): Node {
  if (below.type === 'list' && above.type === 'list') return { ...above, items: [...below.items, ...above.items] };
  if (below.type !== 'map' || above.type !== 'map') return above;
  const entries = new Map(below.entries);
  for (const [key, entry] of above.entries) {
    const under = entries.get(key);
    entries.set(key, under === undefined ? entry : { key: entry.key, value: merge(under.value, entry.value) });
  }
  return { ...above, entries };
}

function sameKind(a: Node, b: Node): boolean {
  if (a.type !== 'map' || b.type !== 'map') return false;
  return [...a.entries.keys()].join('\0') === [...b.entries.keys()].join('\0');
}

function isNothing(node: Node): boolean {
  return node.type === 'scalar' && node.value === null;
}
