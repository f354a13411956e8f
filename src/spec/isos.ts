import { z } from 'zod';
import { type Arch, arches } from '../core/arch.ts';
import { type IsoEntry, isoEntry, writtenIso } from '../core/isos.ts';
import type { Document } from './document.ts';
import { check } from './explain.ts';
import { suggestion } from './nearest.ts';
import type { Entry, MapNode, Node, Spot } from './node.ts';
import { plain } from './node.ts';
import type { Problems } from './problems.ts';
import { namePattern, nameRule } from './settings.ts';
import { show } from './words.ts';

/** The entries of `isos.yaml`, by name and architecture; those with problems are there without any. */
export type Isos = ReadonlyMap<string, ReadonlyMap<Arch, IsoNode>>;
export type IsoNode = { readonly node: MapNode; readonly entry: IsoEntry };

/** No isos.yaml. */
export const noIsos: Isos = new Map();

/** `isos.yaml`: a map from names to ISOs. */
export const isosSettings = z.record(z.string().regex(namePattern, `expected a name of ${nameRule}`), writtenIso);

/** The ISO catalogue of a project; all mistakes are told, and the entries without any are read. */
export function readIsos(document: Document, problems: Problems): Isos {
  const { root, start, problems: own } = document.content();
  for (const problem of own) problems.add(problem);
  if (root === undefined) return noIsos;
  if (root.type !== 'map') {
    problems.at(
      start,
      'expected a map from names to ISOs',
      'like: debian-13: { distribution: debian, arch: x86_64, ... }',
    );
    return noIsos;
  }
  return new Map([...root.entries].map(([name, entry]) => [name, readIso(name, entry, problems)]));
}

function readIso(name: string, entry: Entry, problems: Problems): ReadonlyMap<Arch, IsoNode> {
  const { key: above, value } = entry;
  if (!namePattern.test(name)) problems.at(above, `${show(name)} cannot be the name of an ISO`, nameRule);
  const written = check(writtenIso, plain(value));
  if ('findings' in written || value.type !== 'map') {
    if ('findings' in written) problems.findings(written.findings, { node: value, above, name });
    return new Map();
  }
  const variants = variantsOf(name, value, above);
  if (variants.length === 0) problems.at(above, `${name}.arch: expected at least one architecture`);
  const read = variants.flatMap(([arch, node]): readonly (readonly [Arch, IsoNode])[] => {
    const whole = check(isoEntry, plain(node));
    if ('value' in whole) return [[arch, { node, entry: whole.value }]];
    problems.findings(whole.findings, { node, above, name });
    return [];
  });
  return new Map(read);
}

/** One map for each architecture: its own members stand above the common ones. */
function variantsOf(name: string, node: MapNode, above: Spot): readonly (readonly [Arch, MapNode])[] {
  const arch = node.entries.get('arch')?.value;
  const common = [...node.entries].filter(([key]) => key !== 'arch');
  return arches.flatMap((one) => {
    const own = arch?.type === 'map' ? arch.entries.get(one)?.value : undefined;
    const isOwn = arch?.type === 'scalar' ? arch.value === one : own !== undefined;
    if (!isOwn) return [];
    const special = own?.type === 'map' ? [...own.entries] : [];
    const given = [
      ['name', word(name, above)],
      ['arch', word(one, above)],
    ] as const;
    return [[one, { ...node, entries: new Map([...given, ...common, ...special]) }]];
  });
}

function word(text: string, spot: Spot): Entry {
  return { key: spot, value: { type: 'scalar', value: text, text, spot } };
}

/** Options in which names of ISOs may stand, with each name replaced by its entry. */
export type WithIsos = { readonly node: Node; readonly complete: boolean };

/** Replace the names at these paths (`*`: any key or index) by `{ name, ...entry }` for one architecture. */
export function putIsos(
  node: Node,
  patterns: readonly (readonly string[])[] | undefined,
  given: { readonly isos: Isos; readonly arch: Arch; readonly problems: Problems },
): WithIsos {
  let complete = true;
  const put = (here: Node, rest: readonly string[]): Node => {
    const [part, ...below] = rest;
    if (part !== undefined) return changeMembers(here, part, (member) => put(member, below));
    if (here.type !== 'scalar' || typeof here.value !== 'string') return here;
    const found = find(here.value, here.spot, given);
    complete &&= found !== undefined;
    return found ?? here;
  };
  const replaced = (patterns ?? []).reduce(put, node);
  return { node: replaced, complete };
}

function changeMembers(node: Node, part: string, change: (member: Node) => Node): Node {
  const isMeant = (key: PropertyKey) => part === '*' || part === String(key);
  if (node.type === 'scalar') return node;
  if (node.type === 'list') return { ...node, items: node.items.map((item, i) => (isMeant(i) ? change(item) : item)) };
  const entries = [...node.entries].map(([key, entry]) => {
    const value = isMeant(key) ? change(entry.value) : entry.value;
    return [key, { ...entry, value }] as const;
  });
  return { ...node, entries: new Map(entries) };
}

function find(name: string, spot: Spot, { isos, arch, problems }: Parameters<typeof putIsos>[2]): MapNode | undefined {
  const entries = isos.get(name);
  const found = entries?.get(arch);
  if (found !== undefined) return found.node;
  if (entries === undefined) {
    const hint = suggestion(name, [...isos.keys()], 'ISOs') ?? 'there is no isos.yaml; `ingot iso add` writes one';
    problems.at(spot, `isos.yaml has no ISO ${show(name)}`, hint);
  } else if (entries.size > 0) {
    problems.at(spot, `ISO ${show(name)} is not for ${arch}`, `it is for: ${[...entries.keys()].join(', ')}`);
  }
  return undefined;
}
