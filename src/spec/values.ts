import { type Arch, arches } from '../core/arch.ts';
import type { Document } from './document.ts';
import { suggestion } from './nearest.ts';
import type { MapNode, Node, Spot } from './node.ts';
import type { Problems } from './problems.ts';
import { shorten } from './words.ts';

/** A flat map of `a.b` to text for each architecture. */
export type Pins = Readonly<Record<Arch, ReadonlyMap<string, string>>>;

const word = /^[A-Za-z0-9_-]+$/;
/** No versions.yaml. */
export const noPins: Pins = { x86_64: new Map(), aarch64: new Map() };

/** The values of `sites/<name>.yaml`: nested maps of single values become `a.b`. */
export function readSite(document: Document, problems: Problems): ReadonlyMap<string, string> {
  const root = mapOf(document, problems, 'expected a map of values');
  const values = new Map<string, string>();
  if (root !== undefined) flatten(root, [], { values, problems });
  return values;
}

/** The pins of `versions.yaml`; the members of `x86_64` and `aarch64` stand above the common ones. */
export function readPins(document: Document, problems: Problems): Pins {
  const root = mapOf(document, problems, 'expected a map with "pins"');
  for (const [key, entry] of root?.entries ?? []) {
    if (key !== 'pins')
      problems.at(entry.key, `unknown key ${JSON.stringify(shorten(key))}`, suggestion(key, ['pins'], 'known keys'));
  }
  const pins = root?.entries.get('pins');
  if (pins === undefined || isNothing(pins.value)) return noPins;
  if (pins.value.type !== 'map') {
    problems.at(pins.key, 'pins: expected a map from names to pins');
    return noPins;
  }
  const common = new Map<string, string>();
  const perArch = { x86_64: new Map<string, string>(), aarch64: new Map<string, string>() };
  for (const [name, entry] of pins.value.entries) {
    if (!checkWord(name, entry.key, problems)) continue;
    if (entry.value.type === 'map') readPin(name, entry.value, { common, perArch, problems });
    else addValue([name, 'version'], entry.value, { values: common, problems, above: entry.key });
  }
  return {
    x86_64: new Map([...common, ...perArch.x86_64]),
    aarch64: new Map([...common, ...perArch.aarch64]),
  };
}

function readPin(
  name: string,
  pin: MapNode,
  into: {
    readonly common: Map<string, string>;
    readonly perArch: Readonly<Record<Arch, Map<string, string>>>;
    readonly problems: Problems;
  },
): void {
  for (const [key, { key: above, value }] of pin.entries) {
    const arch = arches.find((one) => one === key);
    if (arch === undefined) addValue([name, key], value, { values: into.common, problems: into.problems, above });
    else if (value.type === 'map') flatten(value, [name], { values: into.perArch[arch], problems: into.problems });
    else into.problems.at(above, `${name}.${key}: expected a map like { url, sha256 }`);
  }
}

type Into = { readonly values: Map<string, string>; readonly problems: Problems };

function flatten(map: MapNode, path: readonly string[], into: Into): void {
  for (const [key, entry] of map.entries) {
    if (entry.value.type === 'map') {
      if (checkWord(key, entry.key, into.problems)) flatten(entry.value, [...path, key], into);
    } else addValue([...path, key], entry.value, { ...into, above: entry.key });
  }
}

function addValue(path: readonly string[], node: Node, into: Into & { readonly above: Spot }): void {
  const name = path.join('.');
  if (!checkWord(path.at(-1) ?? '', into.above, into.problems)) return;
  if (node.type !== 'scalar') into.problems.at(into.above, `${name}: expected one value, not a ${node.type}`);
  else if (node.value === null) into.problems.at(into.above, `${name}: there is no value`, 'write "" for an empty one');
  else into.values.set(name, node.text);
}

function checkWord(key: string, spot: Spot, problems: Problems): boolean {
  if (word.test(key)) return true;
  problems.at(spot, `${JSON.stringify(shorten(key))} cannot be a name here`, 'names have letters, digits, "_" and "-"');
  return false;
}

function isNothing(node: Node): boolean {
  return node.type === 'scalar' && node.value === null;
}

function mapOf(document: Document, problems: Problems, expected: string): MapNode | undefined {
  const { root, start, problems: own } = document.content();
  for (const problem of own) problems.add(problem);
  if (root?.type === 'map') return root;
  if (root !== undefined) problems.at(start, expected);
  return undefined;
}
