import { isMap, isNode, YAMLMap, type Document as YamlDocument } from 'yaml';
import { type Arch, arches } from '../core/arch.ts';
import type { Deployment, RegisteredImage, Registry } from '../core/registry.ts';
import { nameOf, optionalWords, readRegistry, rootOf } from './registry-reader.ts';

/** An image's current build for one architecture. */
export type NamedImage = { readonly name: string; readonly arch: Arch; readonly entry: RegisteredImage };

/** A registry as text that can be changed: comments and unknown words in it stay. */
export type RegistryText = {
  readonly data: Registry;
  setImages(images: readonly NamedImage[]): void;
  setDeployment(name: string, target: string, deployment: Deployment): void;
  /** False where there is none. */
  dropDeployment(name: string, target: string): boolean;
  text(): string;
};

/** Open the text of the registry `file`; empty: a new one. Fails with the place of what is broken. */
export function openRegistryText(file: string, text: string): RegistryText {
  const { document, data } = readRegistry(file, text);
  const part = (key: 'images' | 'deployments') => mapIn(rootOf(document), key, document);
  return {
    data,
    setImages: (images) => setImages(part('images'), images, document),
    setDeployment(name, target, deployment) {
      const deployments = part('deployments');
      const targets = mapIn(deployments, name, document);
      const map = mapIn(targets, target, document);
      setFields(map, deployment, document);
      for (const word of optionalWords) if (!(word in deployment)) map.delete(word);
      for (const sorted of [targets, deployments]) sortBy(sorted, byName);
    },
    dropDeployment(name, target) {
      const deployments = part('deployments');
      const targets = deployments.get(name);
      if (!isMap(targets)) return false;
      const isGone = targets.delete(target);
      if (targets.items.length === 0) deployments.delete(name);
      return isGone;
    },
    text: () => document.toString({ lineWidth: 0 }),
  };
}

function setImages(all: YAMLMap, images: readonly NamedImage[], document: YamlDocument): void {
  const known = new Set(images.map(({ name, arch }) => `${name} ${arch}`));
  for (const name of all.items.map(nameOf)) {
    const archs = mapIn(all, name, document);
    // What a later version lists for an architecture that this one does not know stays.
    for (const arch of arches) if (!known.has(`${name} ${arch}`)) archs.delete(arch);
    if (archs.items.length === 0) all.delete(name);
  }
  for (const { name, arch, entry } of images) {
    const archs = mapIn(all, name, document);
    setFields(mapIn(archs, arch, document), entry, document);
    sortBy(archs, byArch);
  }
  sortBy(all, byName);
}

/** What is as it should be is not touched: its comments stay. */
function setFields(map: YAMLMap, fields: Readonly<Record<string, unknown>>, document: YamlDocument): void {
  for (const [key, value] of Object.entries(fields)) {
    if (JSON.stringify(plain(map.get(key))) !== JSON.stringify(value)) map.set(key, nodeOf(value, document));
  }
}

function plain(value: unknown): unknown {
  return isMap(value) ? (value.toJSON() as unknown) : value;
}

/** A map of maps has a line for each. */
function nodeOf(value: unknown, document: YamlDocument): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const node = document.createNode(value) as unknown;
  if (isMap(node)) for (const { value: inner } of node.items) if (isMap(inner)) inner.flow = true;
  return node;
}

/** The map under a key, made where there is none. */
function mapIn(map: YAMLMap, key: string, document: YamlDocument): YAMLMap {
  const found = map.get(key);
  if (isMap(found)) {
    if (found.items.length === 0) found.flow = false;
    return found;
  }
  const made = new YAMLMap(document.schema);
  map.set(key, made);
  return made;
}

const byName = (a: string, b: string) => (a < b ? -1 : 1);
const byArch = (a: string, b: string) => rankOf(a) - rankOf(b);

function rankOf(arch: string): number {
  const known: readonly string[] = arches;
  return known.includes(arch) ? known.indexOf(arch) : known.length;
}

function sortBy(map: YAMLMap, order: (a: string, b: string) => number): void {
  // What stands above the first entry is taken for the map's own comment, and is the entry's.
  const first = map.items[0]?.key;
  if (isNode(first) && map.commentBefore) {
    first.commentBefore = map.commentBefore;
    map.commentBefore = null;
  }
  map.items.sort((a, b) => order(nameOf(a), nameOf(b)));
}
