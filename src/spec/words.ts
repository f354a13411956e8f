import type { Json } from '../core/keys.ts';

/** A JSON Schema as data. */
export type JsonSchema = { readonly [key: string]: Json | undefined };

/** The text in one line, cut where it is too long. */
export function shorten(text: string, limit = 60): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= limit ? line : `${line.slice(0, limit - 3)}...`;
}

/** A value as it is named in a message: `"vim"`, `4`, `a list`. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return 'nothing';
  return Array.isArray(value) ? 'a list' : 'a map';
}

/** `"a", "b"` of values that are accepted. */
export function choices(values: readonly unknown[]): string {
  const shown = values.slice(0, 12).map(show).join(', ');
  return values.length > 12 ? `${shown}, ...` : shown;
}

/** What schemas accept, in plain words: `a list of strings or a map with install, remove`. */
export function describe(schemas: readonly JsonSchema[]): string {
  const all = schemas.flatMap(alternatives);
  const anyText = all.some(
    (schema) => schema['type'] === 'string' && schema['enum'] === undefined && schema['const'] === undefined,
  );
  const words = all.filter((schema) => !(anyText && typeof schema['const'] === 'string')).map(describeOne);
  return [...new Set(words)].join(' or ');
}

/** The schemas that apply to the value at `path`, each alternative by itself. */
export function schemasAt(schema: JsonSchema, path: readonly PropertyKey[]): readonly JsonSchema[] {
  let here = alternatives(schema);
  for (const part of path) {
    here = here.flatMap((one) => childrenOf(one, part)).flatMap(alternatives);
  }
  return here;
}

/** The keys that a map at this place may have. */
export function knownKeys(schemas: readonly JsonSchema[]): readonly string[] {
  return [
    ...new Set(schemas.flatMap(alternatives).flatMap((schema) => Object.keys(asSchema(schema['properties']) ?? {}))),
  ];
}

function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  for (const word of ['anyOf', 'oneOf', 'allOf']) {
    const list = schema[word];
    if (Array.isArray(list)) return list.flatMap((one) => alternatives(asSchema(one) ?? {}));
  }
  return [schema];
}

function childrenOf(schema: JsonSchema, part: PropertyKey): readonly JsonSchema[] {
  const named = asSchema(asSchema(schema['properties'])?.[String(part)]);
  if (named !== undefined) return [named];
  const rest = typeof part === 'number' ? asSchema(schema['items']) : asSchema(schema['additionalProperties']);
  return rest === undefined ? [] : [rest];
}

function describeOne(schema: JsonSchema): string {
  if (schema['const'] !== undefined) return show(schema['const']);
  if (Array.isArray(schema['enum'])) return `one of ${choices(schema['enum'])}`;
  switch (schema['type']) {
    case 'string':
      return 'a string';
    case 'integer':
      return `a whole number${bounds(schema)}`;
    case 'number':
      return `a number${bounds(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'nothing';
    case 'array':
      return `a list${itemWords(asSchema(schema['items']))}`;
    case 'object':
      return describeMap(schema);
    default:
      return 'something else';
  }
}

function describeMap(schema: JsonSchema): string {
  const keys = knownKeys([schema]);
  if (keys.length === 0) return 'a map';
  return `a map with ${keys.slice(0, 6).join(', ')}${keys.length > 6 ? ', ...' : ''}`;
}

const plurals: Readonly<Record<string, string>> = {
  string: 'strings',
  integer: 'whole numbers',
  number: 'numbers',
  object: 'maps',
  array: 'lists',
};

function itemWords(items: JsonSchema | undefined): string {
  const types =
    items === undefined
      ? []
      : alternatives(items).map((one) => (typeof one['type'] === 'string' ? plurals[one['type']] : undefined));
  const known = types.filter((type) => type !== undefined);
  return known.length === 0 || known.length < types.length ? '' : ` of ${[...new Set(known)].join(' or ')}`;
}

function bounds(schema: JsonSchema): string {
  const [least, most] = [boundOf(schema['minimum']), boundOf(schema['maximum'])];
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  if (least !== undefined) return ` of at least ${least}`;
  return most === undefined ? '' : ` of at most ${most}`;
}

/** A bound at the edge of safe integers is what every integer schema says, not something a person set. */
function boundOf(bound: Json | undefined): number | undefined {
  return typeof bound === 'number' && Math.abs(bound) < Number.MAX_SAFE_INTEGER ? bound : undefined;
}

function asSchema(value: Json | undefined): JsonSchema | undefined {
  const isMap = value !== null && typeof value === 'object' && !Array.isArray(value);
  return isMap ? (value as JsonSchema) : undefined;
}
