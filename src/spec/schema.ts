import type { z } from 'zod';
import { formatEndings } from '../core/endings.ts';
import type { Json } from '../core/keys.ts';
import type { Kinds } from '../core/kinds.ts';
import { jsonSchema } from './explain.ts';
import { isosSettings } from './isos.ts';
import { condition, projectSettings, settings } from './settings.ts';
import type { JsonSchema } from './words.ts';

/** JSON Schemas (draft 2020-12) of the files a person writes: images and fragments, `ingot.yaml`, `versions.yaml`, `isos.yaml`. */
export type ProjectSchema = {
  readonly image: JsonSchema;
  readonly project: JsonSchema;
  readonly versions: JsonSchema;
  readonly isos: JsonSchema;
};

type AnyKind = {
  readonly name: string;
  readonly summary: string;
  readonly options: z.ZodType;
  readonly example: Json;
};
/** Schemas that hold themselves, by a name of their own in the whole file. */
type Definitions = Record<string, JsonSchema>;
type Entry = {
  readonly what: string;
  readonly definitions: Definitions;
  readonly shorthands?: ReadonlyMap<string, JsonSchema>;
  readonly when?: boolean;
  /** By which kinds are known besides their own. */
  readonly otherNames?: readonly string[];
};

const draft = 'https://json-schema.org/draft/2020-12/schema';

/** The schemas for an editor, made from the kinds. */
export function projectSchema(kinds: Kinds): ProjectSchema {
  const definitions: Record<string, JsonSchema> = {};
  const image = imageSchema(kinds, definitions);
  const { defaults, ...head } = (jsonSchema(projectSettings)['properties'] ?? {}) as Readonly<
    Record<string, JsonSchema>
  >;
  const project: JsonSchema = {
    type: 'object',
    properties: { ...head, defaults: { ...defaults, $ref: '#/$defs/image' } },
    additionalProperties: false,
    $defs: { ...definitions, image },
  };
  return {
    image: { $schema: draft, title: 'Ingot image', ...image, $defs: definitions },
    project: { $schema: draft, title: 'Ingot project', ...project },
    versions: { $schema: draft, title: 'Ingot pins', ...versionsSchema() },
    isos: { $schema: draft, title: 'Ingot ISOs', ...jsonSchema(isosSettings) },
  };
}

function imageSchema(kinds: Kinds, definitions: Definitions): JsonSchema {
  const text = { type: 'string' };
  const own = (jsonSchema(settings)['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  return {
    type: 'object',
    description: 'A machine image, or a fragment of one.',
    properties: {
      ...own,
      extends: {
        description: 'Fragments beneath this file, by paths relative to the folder of ingot.yaml.',
        anyOf: [text, { type: 'array', items: text }],
      },
      source: {
        description: 'Where the bytes start: one kind with its options.',
        ...entrySchema(kinds.sources.values(), { what: 'source', definitions }),
      },
      steps: listSchema(
        'Changes to the image, in order.',
        entrySchema(kinds.steps.values(), { what: 'step', when: true, shorthands: shorthandsOf(kinds), definitions }),
      ),
      checks: listSchema(
        'Proofs about the finished image.',
        entrySchema(kinds.checks.values(), { what: 'check', when: true, definitions }),
      ),
      formats: listSchema(
        'How the disk is written. Default: qcow2.',
        entrySchema(kinds.formats.values(), {
          ...{ what: 'format', when: true, definitions },
          otherNames: [...formatEndings(kinds.formats).keys()],
        }),
      ),
    },
    additionalProperties: false,
  };
}

function listSchema(description: string, items: JsonSchema): JsonSchema {
  return { description, type: 'array', items };
}

/** One use of a kind: its bare name, or a map of its name to its options. */
function entrySchema(kinds: Iterable<AnyKind>, entry: Entry): JsonSchema {
  const list = [...kinds];
  const properties: Record<string, JsonSchema> = {};
  for (const kind of list) properties[kind.name] = kindSchema(kind, entry);
  for (const [name, schema] of entry.shorthands ?? []) properties[name] ??= schema;
  if (entry.when === true) properties['when'] = jsonSchema(condition);
  const map = {
    type: 'object',
    properties,
    additionalProperties: false,
    minProperties: 1,
    maxProperties: entry.when === true ? 2 : 1,
  };
  return { anyOf: [{ enum: [...list.map((kind) => kind.name), ...(entry.otherNames ?? [])] }, map] };
}

function kindSchema(kind: AnyKind, { what, definitions }: Entry): JsonSchema {
  const { $defs, ...own } = jsonSchema(kind.options);
  const prefix = `#/$defs/${what}-${kind.name}`;
  for (const [name, definition] of Object.entries(($defs ?? {}) as Definitions)) {
    definitions[`${what}-${kind.name}-${name}`] = moveRefs(definition, prefix);
  }
  const schema = moveRefs(own, prefix);
  if (JSON.stringify(schema).includes(`"${prefix}"`)) definitions[`${what}-${kind.name}`] = schema;
  // Nothing after the colon means empty options, which is how editors leave a key that was just completed.
  return { description: kind.summary, anyOf: [schema, { type: 'null' }], examples: [kind.example] };
}

/** A schema that stood alone, with its references changed to where its definitions are now. */
function moveRefs(schema: JsonSchema, prefix: string): JsonSchema {
  const moved = JSON.stringify(schema, (key, value: unknown) => {
    if (key !== '$ref' || typeof value !== 'string') return value;
    return value === '#' ? prefix : value.replace('#/$defs/', `${prefix}-`);
  });
  return JSON.parse(moved) as JsonSchema;
}

function shorthandsOf(kinds: Kinds): ReadonlyMap<string, JsonSchema> {
  const found = new Map<string, JsonSchema>();
  for (const step of kinds.steps.values()) {
    for (const name of step.shorthands ?? []) {
      found.set(name, {
        description: `Short for ${step.name}: { ${name}: ... }.`,
        ...propertyOf(jsonSchema(step.options), name),
      });
    }
  }
  return found;
}

function propertyOf(schema: JsonSchema, name: string): JsonSchema {
  const branches = Array.isArray(schema['anyOf']) ? (schema['anyOf'] as readonly JsonSchema[]) : [schema];
  const properties = branches.map((branch) => (branch['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>);
  return properties.find((one) => one[name] !== undefined)?.[name] ?? {};
}

function versionsSchema(): JsonSchema {
  const value = { type: ['string', 'number', 'boolean'] };
  const fields = { type: 'object', additionalProperties: value };
  const text = { type: 'string' };
  const pin = {
    type: 'object',
    properties: { version: value, url: text, sha256: text, x86_64: fields, aarch64: fields },
    additionalProperties: value,
  };
  return {
    type: 'object',
    properties: {
      pins: {
        type: 'object',
        description: 'Exact versions, by name: used as ${pins.NAME}, ${pins.NAME.url} and so on.',
        additionalProperties: { anyOf: [value, pin] },
      },
    },
    additionalProperties: false,
  };
}
