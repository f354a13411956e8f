import type { Arch } from '../core/arch.ts';
import { formatEndings } from '../core/endings.ts';
import type { Json } from '../core/keys.ts';
import { canonical } from '../core/keys.ts';
import { type Check, extensionsOf, type Format, type Kinds, type Source, type Step } from '../core/kinds.ts';
import type { KindUse } from '../core/spec.ts';
import { pathHint, refusedPath } from './compose.ts';
import { check } from './explain.ts';
import { type Isos, putIsos } from './isos.ts';
import { suggestion } from './nearest.ts';
import { type Entry, findScalar, type MapNode, type Node, placeOf, plain, type Spot } from './node.ts';
import type { Problems } from './problems.ts';
import { asList, condition } from './settings.ts';
import { substitute, type Values } from './substitute.ts';
import { show } from './words.ts';

/** For which architecture and site the uses are read. */
export type Variant = {
  readonly arch: Arch;
  readonly values: Values;
  readonly siteNames: readonly string[];
  readonly kinds: Kinds;
  readonly isos: Isos;
  readonly problems: Problems;
  readonly known: KnownUses;
};

/** Uses that read the same for every image and architecture: two hundred images share the steps of their fragments. */
export type KnownUses = {
  readonly steps: Map<Node, Read<Step>>;
  readonly checks: Map<Node, Read<Check>>;
  readonly formats: Map<Node, Read<Format>>;
};

/** A use with its kind, and how it was written, for problems that show up later. */
export type Read<K> = { readonly use: KindUse; readonly kind: K; readonly node: Node; readonly above: Spot };

/** A file or image that a use names, and where. */
export type Named = { readonly name: string; readonly spot: Spot };

type AnyKind = Source | Step | Check | Format;
type Written = { readonly name: string; readonly above: Spot; readonly options: Node };

/** The source of an image, or undefined with the problem told. */
export function readSource(entry: Entry, variant: Variant): Read<Source> | undefined {
  const written = writtenUse(entry.value, { what: 'source', above: entry.key, problems: variant.problems });
  return written && readUse(written, { what: 'source', kinds: variant.kinds.sources, variant });
}

/** The steps for this architecture and site; those with problems are told and left out. */
export function readSteps(node: Node, above: Spot, variant: Variant): readonly Read<Step>[] {
  const steps = variant.kinds.steps;
  return readList(node, { what: 'step', above, variant, known: variant.known.steps }, (written) => {
    const owner = steps.has(written.name)
      ? undefined
      : [...steps.values()].find((step) => step.shorthands?.includes(written.name));
    return readUse(owner === undefined ? written : spellOut(written, owner.name), {
      what: 'step',
      kinds: steps,
      variant,
    });
  });
}

/** The checks for this architecture and site, each once. */
export function readChecks(node: Node, above: Spot, variant: Variant): readonly Read<Check>[] {
  const uses = readList(node, { what: 'check', above, variant, known: variant.known.checks }, (written) =>
    readUse(written, { what: 'check', kinds: variant.kinds.checks, variant }),
  );
  return once(uses);
}

/** The formats for this architecture and site, each once; no two may write one file. */
export function readFormats(node: Node, above: Spot, variant: Variant): readonly Read<Format>[] {
  const uses = once(
    readList(node, { what: 'format', above, variant, known: variant.known.formats }, (written) =>
      readUse(byEnding(written, variant.kinds.formats), { what: 'format', kinds: variant.kinds.formats, variant }),
    ),
  );
  const extensions = new Set<string>();
  for (const { kind, use, above: spot } of uses) {
    for (const extension of extensionsOf(kind, use.options)) {
      if (extensions.has(extension))
        variant.problems.at(spot, `two formats would write the same file, ending in ".${extension}"`);
      extensions.add(extension);
    }
  }
  const conditional =
    node.type === 'list' && node.items.every((item) => item.type === 'map' && item.entries.has('when'));
  if (uses.length === 0 && conditional) variant.problems.at(above, `formats: none is left for ${variant.arch}`);
  return uses;
}

/** The project files that a use names; a path that leaves the project is a problem. */
export function filesOf({ kind, use, node, above }: Read<Source | Step>, problems: Problems): readonly Named[] {
  const files = (kind.files?.(use.options) ?? []).map((name) => ({
    name,
    spot: findScalar(node, name)?.spot ?? above,
  }));
  return files.filter(({ name, spot }) => {
    const wrong = refusedPath(name);
    if (wrong !== undefined) problems.at(spot, `${use.kind}: ${wrong}`, pathHint);
    return wrong === undefined;
  });
}

/** The images that a source is made from. */
export function parentsOf({ kind, use, node, above }: Read<Source>): readonly Named[] {
  return (kind.parents?.(use.options) ?? []).map((name) => ({ name, spot: findScalar(node, name)?.spot ?? above }));
}

type About<K> = {
  readonly what: string;
  readonly above: Spot;
  readonly variant: Variant;
  readonly known: Map<Node, Read<K>>;
};

function readList<K>(node: Node, about: About<K>, read: (written: Written) => Read<K> | undefined): readonly Read<K>[] {
  const { what, above, variant, known } = about;
  if (node.type !== 'list') {
    variant.problems.at(above, `${what}s: expected a list`, `start each ${what} with "- "`);
    return [];
  }
  const uses = node.items.map((item) => {
    const written = writtenUse(item, { what, above: item.spot, problems: variant.problems });
    if (written === undefined || !holds(item, variant)) return undefined;
    const use = known.get(item) ?? read(written);
    // Pins may differ between architectures; the site is one for all.
    if (use !== undefined && Object.keys(use.use.refs.pins).length === 0) known.set(item, use);
    return use;
  });
  return uses.filter((use) => use !== undefined);
}

function writtenUse(
  node: Node,
  about: { readonly what: string; readonly above: Spot; readonly problems: Problems },
): Written | undefined {
  const { what, above, problems } = about;
  if (node.type === 'scalar' && typeof node.value === 'string')
    return { name: node.value, above: node.spot, options: emptyMap(node.spot) };
  if (node.type !== 'map') {
    problems.at(
      node.type === 'scalar' && node.text !== '' ? node.spot : above,
      `expected a ${what}, not ${show(plain(node))}`,
      `write its kind, like "KIND: OPTIONS"`,
    );
    return undefined;
  }
  const [first, second] = [...node.entries].filter(([key]) => what === 'source' || key !== 'when');
  if (first === undefined) {
    problems.at(above, `this ${what} has no kind`);
    return undefined;
  }
  if (second !== undefined) {
    const hint =
      what === 'source'
        ? 'an image has one source'
        : `indent the options of "${first[0]}" deeper, or start a new ${what} with "- "`;
    problems.at(second[1].key, `a ${what} has one kind: here are ${show(first[0])} and ${show(second[0])}`, hint);
    return undefined;
  }
  const [name, { key, value }] = first;
  const empty = value.type === 'scalar' && value.value === null;
  return { name, above: key, options: empty ? emptyMap(key) : value };
}

function readUse<K extends AnyKind>(
  written: Written,
  given: { readonly what: string; readonly kinds: ReadonlyMap<string, K>; readonly variant: Variant },
): Read<K> | undefined {
  const { name, above, options } = written;
  const { problems, values } = given.variant;
  const kind = given.kinds.get(name);
  if (kind === undefined) {
    const known = [...given.kinds.keys()];
    problems.at(above, `unknown ${given.what} ${show(name)}`, suggestion(name, known, `known ${given.what}s`));
    return undefined;
  }
  const secretsIn = 'secretsIn' in kind ? kind.secretsIn : undefined;
  const { node: filled, refs, complete } = substitute(options, { values, problems, secretsIn });
  const { node, complete: hasAll } = putIsos(filled, 'isosIn' in kind ? kind.isosIn : undefined, given.variant);
  if (!complete || !hasAll) return undefined;
  const checked = check(kind.options, plain(node));
  if ('findings' in checked) {
    problems.findings(checked.findings, { node, above, name });
    return undefined;
  }
  // The schemas of kinds give plain data; that is part of what a kind is.
  const use: KindUse = { kind: name, options: checked.value as Json, place: placeOf(above), refs };
  return { use, kind, node, above };
}

function holds(item: Node, variant: Variant): boolean {
  const when = item.type === 'map' ? item.entries.get('when') : undefined;
  if (when === undefined) return true;
  const { problems, siteNames, values, arch } = variant;
  const checked = check(condition, plain(when.value));
  if ('findings' in checked) {
    problems.findings(checked.findings, { node: when.value, above: when.key, name: 'when' });
    return false;
  }
  const sites = checked.value.site === undefined ? undefined : asList(checked.value.site);
  for (const site of sites ?? []) {
    const spot = findScalar(when.value, site)?.spot ?? when.key;
    if (!siteNames.includes(site))
      problems.at(spot, `there is no site ${show(site)}`, suggestion(site, siteNames, 'sites'));
  }
  const archFits = checked.value.arch === undefined || asList(checked.value.arch).includes(arch);
  return archFits && (sites === undefined || (values.siteName !== undefined && sites.includes(values.siteName)));
}

function spellOut({ name, above, options }: Written, owner: string): Written {
  const entries = new Map([[name, { key: above, value: options }]]);
  return { name: owner, above, options: { type: 'map', entries, spot: above } };
}

/** `- img.xz` is `- img: { compression: xz }`. */
function byEnding(written: Written, formats: ReadonlyMap<string, Format>): Written {
  const { name, above, options } = written;
  const isBare = options.type === 'map' && options.entries.size === 0;
  const ending = formats.has(name) || !isBare ? undefined : formatEndings(formats).get(name);
  if (ending === undefined) return written;
  const entries = Object.entries(ending.options).map(
    ([key, value]) => [key, { key: above, value: { type: 'scalar', value, text: value, spot: above } }] as const,
  );
  return { name: ending.format.name, above, options: { type: 'map', entries: new Map(entries), spot: above } };
}

function once<K>(uses: readonly Read<K>[]): readonly Read<K>[] {
  const seen = new Set<string>();
  return uses.filter(({ use }) => {
    const id = `${use.kind} ${canonical(use.options)}`;
    return !seen.has(id) && seen.add(id);
  });
}

function emptyMap(spot: Spot): MapNode {
  return { type: 'map', entries: new Map(), spot };
}
