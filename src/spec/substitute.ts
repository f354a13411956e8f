import { escapeSecrets, mayHoldSecret } from '../core/secrets.ts';
import type { References } from '../core/spec.ts';
import { suggestion } from './nearest.ts';
import { type Node, type Path, placeOf, type ScalarNode, type Spot } from './node.ts';
import type { Problems } from './problems.ts';
import { shorten } from './words.ts';

/** What `${site.x}` and `${pins.x}` mean for one site and architecture. */
export type Values = {
  /** Undefined when no site was chosen. */
  readonly site: ReadonlyMap<string, string> | undefined;
  readonly siteName: string | undefined;
  readonly pins: ReadonlyMap<string, string>;
};

/** `complete` is false when a reference could not be resolved. */
export type Substituted = { readonly node: Node; readonly refs: References; readonly complete: boolean };

type Work = {
  readonly values: Values;
  readonly secretsIn: readonly (readonly string[])[] | undefined;
  readonly problems: Problems;
  readonly site: Map<string, string>;
  readonly pins: Map<string, string>;
  readonly secrets: Set<string>;
  incomplete: boolean;
};

// `sites`, `pin` and `secrets` are here to be refused as typos; any other `${...}` belongs to a shell or template.
const placeholder = /(\$?)\$\{(sites?|pins?|secrets?)\.([^}\s]*)(\}?)/g;
const reference = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
const noRefs: References = { site: {}, pins: {}, secrets: [] };

/**
 * The value with `${site.x}` and `${pins.x}` replaced in its strings, each once; what is put in is never read again.
 * `${secret.x}` stays, where `secretsIn` allows it; `$${site.x}` becomes the text `${site.x}`.
 */
export function substitute(
  node: Node,
  given: { readonly values: Values; readonly problems: Problems; readonly secretsIn?: Work['secretsIn'] },
): Substituted {
  const work: Work = {
    ...given,
    secretsIn: given.secretsIn,
    site: new Map(),
    pins: new Map(),
    secrets: new Set(),
    incomplete: false,
  };
  const replaced = replaceIn(node, [], work);
  const complete = !work.incomplete;
  if (replaced === node && work.secrets.size === 0) return { node, refs: noRefs, complete };
  return {
    node: replaced,
    complete,
    refs: {
      site: Object.fromEntries(work.site),
      pins: Object.fromEntries(work.pins),
      secrets: [...work.secrets].sort(),
    },
  };
}

function replaceIn(node: Node, path: Path, work: Work): Node {
  if (node.type === 'scalar') return replaceScalar(node, path, work);
  if (node.type === 'list') {
    const items = node.items.map((item, i) => replaceIn(item, [...path, i], work));
    return items.every((item, i) => item === node.items[i]) ? node : { ...node, items };
  }
  let changed = false;
  const entries = new Map(
    [...node.entries].map(([key, entry]) => {
      const value = replaceIn(entry.value, [...path, key], work);
      changed ||= value !== entry.value;
      return [key, value === entry.value ? entry : { ...entry, value }];
    }),
  );
  return changed ? { ...node, entries } : node;
}

function replaceScalar(node: ScalarNode, path: Path, work: Work): ScalarNode {
  if (typeof node.value !== 'string' || !node.value.includes('${')) return node;
  const secretHere = mayHoldSecret(work.secretsIn, path);
  const value = node.value.replaceAll(placeholder, (all, dollar: string, space: string, name: string, end: string) => {
    if (dollar !== '') return secretHere && space === 'secret' ? all : all.slice(1);
    if (end === '' || !reference.test(name)) {
      work.incomplete = true;
      work.problems.at(
        spotOf(node, all),
        `${shorten(all)} is not a complete reference`,
        `write \${${space}.NAME}, or $${all} for the text itself`,
      );
      return all;
    }
    if (space === 'secret') return keepSecret(node, name, { secretHere, work });
    const text = lookUp(node, space, { name, work });
    return secretHere ? escapeSecrets(text) : text;
  });
  return value === node.value ? node : { ...node, value, text: value };
}

function keepSecret(
  node: ScalarNode,
  name: string,
  given: { readonly secretHere: boolean; readonly work: Work },
): string {
  const all = `\${secret.${name}}`;
  if (given.secretHere) {
    given.work.secrets.add(name);
    return all;
  }
  given.work.incomplete = true;
  given.work.problems.at(spotOf(node, all), `a secret cannot stand here: ${all}`, secretHint(given.work.secretsIn));
  return all;
}

function secretHint(secretsIn: Work['secretsIn']): string {
  if (secretsIn === undefined || secretsIn.length === 0)
    return 'secrets are for the options of steps that say they take them';
  return `secrets may stand here in: ${secretsIn.map((path) => path.join('.')).join(', ')}`;
}

function lookUp(node: ScalarNode, space: string, given: { readonly name: string; readonly work: Work }): string {
  const { name, work } = given;
  const { values, problems } = work;
  const all = `\${${space}.${name}}`;
  const unknown = (message: string, hint: string | undefined) => {
    work.incomplete = true;
    problems.at(spotOf(node, all), message, hint);
    return all;
  };
  if (space !== 'site' && space !== 'pins')
    return unknown(`there is no ${all}`, `use \${site.x}, \${pins.x} or \${secret.x}; $${all} for the text itself`);
  if (space === 'site') {
    if (values.site === undefined)
      return unknown(`${all} needs a site, and none is chosen`, 'choose one with --site NAME');
    const value = values.site.get(name);
    if (value === undefined)
      return unknown(`site "${values.siteName}" has no "${name}"`, suggestion(name, [...values.site.keys()], 'it has'));
    work.site.set(name, value);
    return value;
  }
  const full = values.pins.has(name) || !values.pins.has(`${name}.version`) ? name : `${name}.version`;
  const value = values.pins.get(full);
  if (value === undefined) return unknown(...noPin(name, [...values.pins.keys()]));
  work.pins.set(full, value);
  return value;
}

function noPin(name: string, pins: readonly string[]): [string, string | undefined] {
  const [pin = '', ...field] = name.split('.');
  const fields = pins.filter((one) => one.startsWith(`${pin}.`)).map((one) => one.slice(pin.length + 1));
  if (fields.length > 0) {
    const wanted = field.join('.') || 'version';
    return [`pin "${pin}" has no "${wanted}"`, suggestion(wanted, fields, 'it has')];
  }
  const names = [...new Set(pins.map((one) => one.replace(/\..*/, '')))];
  return [`versions.yaml has no pin "${pin}"`, suggestion(pin, names, 'pins')];
}

/** Where the placeholder stands inside its text, when that can be found. */
function spotOf(node: ScalarNode, all: string): Spot {
  const at = node.spot.source.text.indexOf(all, node.spot.offset);
  const lines = placeOf(node.spot).line + node.text.split('\n').length + 1;
  const spot = { source: node.spot.source, offset: at };
  return at >= 0 && placeOf(spot).line <= lines ? spot : node.spot;
}
