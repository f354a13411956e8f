// Writes docs/reference/ from the kinds' own words: `npm run docs:reference`.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Json } from '../src/core/keys.ts';
import { checks } from '../src/kinds/checks/index.ts';
import { formats } from '../src/kinds/formats/index.ts';
import { sources } from '../src/kinds/sources/index.ts';
import { steps } from '../src/kinds/steps/index.ts';
import { settings } from '../src/spec/settings.ts';

export const referenceFolder = 'docs/reference';

type Kind = {
  readonly name: string;
  readonly summary: string;
  readonly options: z.ZodType;
  readonly example: Json;
  readonly on?: readonly string[];
};

const groups: readonly {
  readonly name: string;
  readonly one: string;
  readonly intro: string;
  readonly kinds: readonly Kind[];
}[] = [
  { name: 'sources', one: 'source', intro: 'Where the bytes of an image start.', kinds: [...sources.values()] },
  {
    name: 'steps',
    one: 'step',
    intro: 'Changes to the image, in the order they are written.',
    kinds: [...steps.values()],
  },
  {
    name: 'checks',
    one: 'check',
    intro: 'Proofs about the finished image; nothing that fails one is published.',
    kinds: [...checks.values()],
  },
  { name: 'formats', one: 'format', intro: 'How the finished disk is written.', kinds: [...formats.values()] },
];

/** All pages of the reference by their path within its folder. */
export function referencePages(): Readonly<Record<string, string>> {
  const kindPages = groups.flatMap(({ name, one, kinds }) =>
    kinds.map((kind) => [`${name}/${kind.name}.md`, kindPage(kind, one)] as const),
  );
  return { 'README.md': indexPage(), 'image.md': imagePage(), ...Object.fromEntries(kindPages) };
}

function indexPage(): string {
  const sections = groups.map(({ name, intro, kinds }) => {
    const rows = kinds.map((kind) => `| [${kind.name}](${name}/${kind.name}.md) | ${cell(kind.summary)} |`);
    return `## ${name[0]?.toUpperCase()}${name.slice(1)}\n\n${intro}\n\n| | |\n| --- | --- |\n${rows.join('\n')}\n`;
  });
  return `# Reference\n\n${generated}\n\nThe keys of an image file are on [their own page](image.md).\n\n${sections.join('\n')}`;
}

function imagePage(): string {
  const lists = groups.map(({ name, one, intro }) => {
    const key = one === 'source' ? 'source' : name;
    return `| \`${key}\` | ${one === 'source' ? 'a source' : `list of ${name}`} | | ${intro} See [${name}](README.md#${name}). |`;
  });
  const extending =
    '| `extends` | list of text | | Fragments to start from: lists append, maps merge, scalars override. |';
  const rows = [extending, ...optionRows(jsonSchema(settings)), ...lists];
  return `# Keys of an image file\n\n${generated}\n\n${tableHead}\n${rows.join('\n')}\n`;
}

function kindPage(kind: Kind, one: string): string {
  const benches = kind.on === undefined ? '' : `\n\nRuns on: ${kind.on.join(', ')}.`;
  return `# ${one} \`${kind.name}\`\n\n${kind.summary}${benches}\n\n\`\`\`yaml\n${exampleOf(kind, one)}\`\`\`\n\n${optionsOf(kind)}\n\n${generated}\n`;
}

function exampleOf({ name, example }: Kind, one: string): string {
  const isEmpty = typeof example === 'object' && example !== null && Object.keys(example).length === 0;
  const use = isEmpty ? name : { [name]: example };
  const written = one === 'source' ? { source: use } : { [`${one}s`]: [use] };
  return stringify(written, { lineWidth: 100 });
}

function optionsOf({ options, name }: Kind): string {
  const forms = alternatives(jsonSchema(options));
  const short = forms.filter((form) => form.properties === undefined);
  const full = forms.filter((form) => Object.keys(form.properties ?? {}).length > 0);
  const parts = [
    ...short.map((form) => `Short form: \`${name}:\` with ${typeOf(form)}.`),
    ...full.map((form) => `${tableHead}\n${optionRows(form).join('\n')}`),
  ];
  return parts.length === 0 ? 'It has no options.' : parts.join('\n\n');
}

type Schema = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: Json;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
};

const generated = '<!-- Written by `npm run docs:reference` from the sources. -->';
const tableHead = '| option | value | default | |\n| --- | --- | --- | --- |';

function jsonSchema(options: z.ZodType): Schema {
  return z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) as Schema;
}

function alternatives(schema: Schema): readonly Schema[] {
  return schema.anyOf?.flatMap(alternatives) ?? [schema];
}

function optionRows({ properties, required }: Schema): readonly string[] {
  return Object.entries(properties ?? {}).map(([name, schema]) => {
    const byDefault = required?.includes(name) === true ? 'required' : show(schema.default);
    return `| \`${name}\` | ${cell(typeOf(schema))} | ${cell(byDefault)} | ${cell(schema.description ?? '')} |`;
  });
}

function typeOf(schema: Schema): string {
  const parts = alternatives(schema).map((one) => {
    if (one.const !== undefined) return show(one.const);
    if (one.enum !== undefined) return one.enum.map(show).join(', ');
    if (one.type === 'array') return `list of ${one.items === undefined ? 'values' : typeOf(one.items)}`;
    if (one.properties !== undefined) return `map of ${Object.keys(one.properties).map(show).join(', ')}`;
    return words[one.type ?? ''] ?? 'text or a number';
  });
  return [...new Set(parts)].join(' or ');
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'map',
};

function show(value: Json | undefined): string {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

if (import.meta.main) {
  rmSync(referenceFolder, { recursive: true, force: true });
  for (const [path, text] of Object.entries(referencePages())) {
    const file = join(referenceFolder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
