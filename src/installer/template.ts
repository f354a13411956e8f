import { type Place, type Problem, SpecError } from '../core/errors.ts';
import type { Answers, HashedAnswers } from './answers.ts';

/** What `${space.name}` means in somebody's own answer file. */
export type TemplateValues = {
  /** With the hashes of passwords; lists become words with spaces between them. */
  readonly answers?: HashedAnswers | Answers;
  readonly secrets?: ReadonlyMap<string, string>;
  /** `k3s.version`; a pin's name alone stands for its version. */
  readonly pins?: ReadonlyMap<string, string>;
  readonly site?: ReadonlyMap<string, string>;
  /** What the spec gives for this file. */
  readonly values?: ReadonlyMap<string, string>;
};

// The plural or singular of each is here to be refused as a typo; any other `${...}` belongs to a shell.
const placeholder = /(\$?)\$\{(answers?|sites?|pins?|secrets?|values?)\.([^}\s]*)(\}?)/g;

/**
 * The text with each placeholder replaced once; what is put in is never read again. `$${site.x}` becomes the text
 * `${site.x}`. Throws all unknown names together, each with its place.
 */
export function fillTemplate(text: string, values: TemplateValues, file: string): string {
  const problems: Problem[] = [];
  const filled = text.replaceAll(
    placeholder,
    (all: string, dollar: string, space: string, name: string, end: string, offset: number) => {
      if (dollar !== '') return all.slice(1);
      const value = end === '' ? undefined : lookUp(space, name, values);
      if (value === undefined)
        problems.push({ place: placeIn(text, offset, file), ...words({ all, space, name, end }, values) });
      return value ?? all;
    },
  );
  if (problems.length > 0) throw new SpecError(problems);
  return filled;
}

export type TemplateNames = {
  readonly secrets: readonly string[];
  readonly pins: readonly string[];
  readonly site: readonly string[];
};

/** The names that a template uses: they must be known before it is filled, and are part of what it depends on. */
export function templateNames(text: string): TemplateNames {
  const found = [...text.matchAll(placeholder)].filter(([, dollar, , , end]) => dollar === '' && end !== '');
  const of = (wanted: string) => [
    ...new Set(found.flatMap(([, , space, name]) => (space === wanted && name !== undefined ? name : []))),
  ];
  return { secrets: of('secret'), pins: of('pins'), site: of('site') };
}

function lookUp(space: string, name: string, values: TemplateValues): string | undefined {
  switch (space) {
    case 'answers':
      return answer(name, values.answers);
    case 'secret':
      return values.secrets?.get(name);
    case 'pins':
      return values.pins?.get(name) ?? values.pins?.get(`${name}.version`);
    case 'site':
      return values.site?.get(name);
    case 'values':
      return values.values?.get(name);
    default:
      return undefined;
  }
}

function answer(name: string, answers: unknown): string | undefined {
  const found = name.split('.').reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Readonly<Record<string, unknown>>)[key];
  }, answers);
  if (Array.isArray(found)) return found.join(' ');
  return typeof found === 'string' || typeof found === 'boolean' ? String(found) : undefined;
}

type Found = { readonly all: string; readonly space: string; readonly name: string; readonly end: string };

function words({ all, space, name, end }: Found, values: TemplateValues): Pick<Problem, 'message' | 'hint'> {
  const start = all.split('\n')[0] ?? '';
  if (end === '') return { message: `${start} is not a complete reference`, hint: `write \${${space}.NAME}` };
  const known = namesIn(space, values);
  if (known === undefined) {
    return { message: `there is no ${all}`, hint: 'use ${answers.x} or ${values.x}' };
  }
  const isGiven = values.values === undefined || space === 'answers' || space === 'values';
  if (!isGiven) return { message: `${all} cannot stand in this file`, hint: givenBy(all) };
  const hint = known.length === 0 ? 'none is given' : `there is: ${known.slice(0, 20).join(', ')}`;
  return { message: `${space} has no "${name}"`, hint };
}

function givenBy(all: string): string {
  return `give it in the spec, beside the file: values: { NAME: "${all}" }, and write \${values.NAME} here`;
}

function namesIn(space: string, values: TemplateValues): readonly string[] | undefined {
  switch (space) {
    case 'answers':
      return Object.keys(values.answers ?? {});
    case 'secret':
      return [...(values.secrets?.keys() ?? [])];
    case 'pins':
      return [...(values.pins?.keys() ?? [])];
    case 'site':
      return [...(values.site?.keys() ?? [])];
    case 'values':
      return [...(values.values?.keys() ?? [])];
    default:
      return undefined;
  }
}

function placeIn(text: string, offset: number, file: string): Place {
  const before = text.slice(0, offset).split('\n');
  const line = before.length;
  const source = text.split('\n')[line - 1];
  return { file, line, column: (before.at(-1) ?? '').length + 1, ...(source === undefined ? {} : { source }) };
}
