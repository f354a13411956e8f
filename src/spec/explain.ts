import { z } from 'zod';
import { nearest, suggestion } from './nearest.ts';
import type { Path } from './node.ts';
import { choices, describe, type JsonSchema, knownKeys, schemasAt, show } from './words.ts';

/** One mistake in a value: where below the value, and what was expected, in plain words. */
export type Finding = {
  readonly path: Path;
  readonly message: string;
  readonly hint?: string;
  /** The key is wrong, not its value. */
  readonly atKey?: boolean;
  /** A rule over a whole map: says nothing while the map has keys that are not known. */
  readonly overall?: boolean;
};

export type Checked<T> = { readonly value: T } | { readonly findings: readonly Finding[] };

type Issue = z.core.$ZodIssue;
type Words = { readonly message: string; readonly hint?: string };
type Subject = { readonly data: unknown; readonly schema: JsonSchema };

// zod asks this for every message its schema does not bring; a message that is not it was written by a person.
const unwritten = '\0';

/** Parse a value by a schema; mistakes come back in plain words instead of zod's. */
export function check<T>(schema: z.ZodType<T>, data: unknown): Checked<T> {
  const result = schema.safeParse(data, { error: () => unwritten, reportInput: true });
  if (result.success) return { value: result.data };
  const subject = { data, schema: jsonSchema(schema) };
  return { findings: withoutEchoes(result.error.issues.flatMap((issue) => explain(issue, [], subject))) };
}

/** The JSON Schema (draft 2020-12) of what a person may write. */
export function jsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    target: 'draft-2020-12',
  });
  return rest as JsonSchema;
}

function explain(issue: Issue, above: Path, subject: Subject): readonly Finding[] {
  const path = [...above, ...issue.path];
  const written = issue.message === unwritten ? undefined : issue.message;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, subject));
  if (issue.code === 'invalid_key') return [{ path, message: innerWords(issue.issues, subject), atKey: true }];
  if (issue.code === 'invalid_element')
    return issue.issues.flatMap((inner) => explain(inner, [...path, String(issue.key)], subject));
  const isType = issue.code === 'invalid_type' || issue.code === 'invalid_union' || issue.code === 'invalid_value';
  if (isType && !isTag(issue) && at(subject.data, path) === undefined && path.length > 0) {
    return [missing(path, subject, written)];
  }
  if (issue.code === 'invalid_union' && written === undefined) return explainUnion(issue, path, subject);
  if (issue.code === 'custom' && written !== undefined) return [{ path, message: written, overall: true }];
  return [{ path, ...(written === undefined ? words(issue, path, subject) : { message: written }) }];
}

function words(issue: Issue, path: Path, subject: Subject): Words {
  const value = at(subject.data, path);
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, path, subject);
    case 'invalid_value':
      return wrongWord(issue.values, value);
    case 'too_small':
      return {
        message: limitWords(issue.origin, issue.minimum, { least: true, inclusive: issue.inclusive ?? true, value }),
      };
    case 'too_big':
      return {
        message: limitWords(issue.origin, issue.maximum, { least: false, inclusive: issue.inclusive ?? true, value }),
      };
    case 'not_multiple_of':
      return { message: `expected a multiple of ${issue.divisor}, not ${show(value)}` };
    case 'invalid_format':
      return {
        message: `expected ${formatWords(issue.format, 'pattern' in issue ? issue.pattern : undefined)}, not ${show(value)}`,
      };
    default:
      return { message: `${show(value)} is not accepted here` };
  }
}

function wrongType(expected: string, path: Path, subject: Subject): Words {
  const value = at(subject.data, path);
  const described = describe(schemasAt(subject.schema, path));
  const wanted =
    described === '' || described.includes('something else') ? (typeWords[expected] ?? expected) : described;
  const message = `expected ${wanted}, not ${show(value)}`;
  const quotable = expected === 'string' && (typeof value === 'number' || typeof value === 'boolean');
  return quotable ? { message, hint: 'put it in quotes to make it a string' } : { message };
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
  null: 'nothing',
};

/** The branch that was meant is the one whose shape fits the value; among those, the one with the fewest strange keys. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, subject: Subject): readonly Finding[] {
  const tag = 'discriminator' in issue && typeof issue.discriminator === 'string' ? issue.discriminator : undefined;
  if (tag !== undefined) return [wrongTag(issue, tag, path, subject)];
  const value = at(subject.data, path);
  const shaped = issue.errors.filter((branch) => !branch.some((inner) => isWrongShape(inner, value)));
  const [first] = shaped;
  if (first === undefined) return [{ path, ...wrongType('another type', path, subject) }];
  const values = shaped.flatMap((branch) => branch.flatMap((inner) => (isWrongWord(inner) ? inner.values : [])));
  const onlyWords = shaped.every((branch) => branch.every(isWrongWord));
  if (onlyWords) return [{ path, ...wrongWord(values, value) }];
  const told = shaped
    .filter((branch) => !branch.every(isWrongWord))
    .map((branch) => withoutEchoes(branch.flatMap((inner) => explain(inner, path, subject))));
  return told.reduce((a, b) => (strangeness(b) < strangeness(a) ? b : a));
}

function isTag(issue: Issue): boolean {
  return 'discriminator' in issue;
}

function isWrongShape(issue: Issue, value: unknown): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_value') return !issue.values.some((one) => typeof one === typeof value);
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return issue.errors.every((branch) => branch.some((inner) => isWrongShape(inner, value)));
  }
  return issue.code === 'invalid_type';
}

function isWrongWord(issue: Issue): issue is z.core.$ZodIssueInvalidValue {
  return issue.code === 'invalid_value' && issue.path.length === 0 && issue.message === unwritten;
}

function wrongWord(values: readonly unknown[], value: unknown): Words {
  const near = typeof value === 'string' ? nearest(value, values.map(String)) : undefined;
  const message = `expected ${values.length > 1 ? 'one of ' : ''}${choices(values)}, not ${show(value)}`;
  return near === undefined ? { message } : { message, hint: `did you mean ${JSON.stringify(near)}?` };
}

function wrongTag(issue: z.core.$ZodIssueInvalidUnion, tag: string, path: Path, subject: Subject): Finding {
  const values = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
  const tagPath = path.at(-1) === tag ? path : [...path, tag];
  const value = at(subject.data, tagPath);
  if (value === undefined) {
    const message = `missing ${JSON.stringify(tag)}: one of ${choices(values)}`;
    return { path: tagPath.slice(0, -1), message, atKey: true };
  }
  return { path: tagPath, ...wrongWord(values, value) };
}

function strangeness(findings: readonly Finding[]): number {
  return findings.reduce((sum, { message }) => sum + (message.startsWith('unknown key') ? 2 : 1), 0);
}

function unknownKey(key: string, path: Path, subject: Subject): Finding {
  const known = knownKeys(schemasAt(subject.schema, path));
  const found = { path: [...path, key], atKey: true };
  // In a union the key may belong to another branch.
  if (known.includes(key))
    return { ...found, message: `${JSON.stringify(key)} cannot stand beside the other keys here` };
  const hint = suggestion(key, known, 'known keys');
  return { ...found, message: `unknown key ${show(key)}`, ...(hint === undefined ? {} : { hint }) };
}

function missing(path: Path, subject: Subject, written: string | undefined): Finding {
  const described = describe(schemasAt(subject.schema, path));
  const what = described === '' || described.includes('something else') ? '' : `: ${described}`;
  const message = written ?? `missing ${JSON.stringify(String(path.at(-1)))}${what}`;
  return { path: path.slice(0, -1), message, atKey: true };
}

/** When `fil` was written for `file`, that `file` is missing, or a rule over the whole map broken, says nothing new. */
function withoutEchoes(findings: readonly Finding[]): readonly Finding[] {
  const unknown = findings.filter(({ message }) => message.startsWith('unknown key'));
  const hints = unknown.flatMap(({ hint }) => hint ?? []);
  const maps = unknown.map(({ path }) => path.slice(0, -1).join('\0'));
  return findings.filter(({ message, path, overall }) => {
    if (overall === true && maps.includes(path.join('\0'))) return false;
    const name = /^missing ("[^"]*")/.exec(message)?.[1];
    return name === undefined || !hints.includes(`did you mean ${name}?`);
  });
}

function innerWords(issues: readonly Issue[], subject: Subject): string {
  const [first] = issues;
  if (first === undefined) return 'this key is not accepted';
  return first.message === unwritten ? words(first, [], { ...subject, data: inputOf(first) }).message : first.message;
}

function inputOf(issue: Issue): unknown {
  return 'input' in issue ? issue.input : undefined;
}

function limitWords(
  origin: string,
  bound: number | bigint,
  how: { readonly least: boolean; readonly inclusive: boolean; readonly value: unknown },
): string {
  const atBound = how.least ? (how.inclusive ? 'at least' : 'more than') : how.inclusive ? 'at most' : 'less than';
  if (how.least && how.inclusive && Number(bound) === 1 && origin === 'string')
    return 'expected a text that is not empty';
  if (how.least && how.inclusive && Number(bound) === 1 && origin === 'array')
    return 'expected a list with at least one entry';
  if (origin === 'string') return `expected ${atBound} ${bound} characters`;
  if (origin === 'array' || origin === 'set') return `expected ${atBound} ${bound} entries`;
  if (origin === 'map' || origin === 'record' || origin === 'object') return `expected ${atBound} ${bound} keys`;
  return `expected ${atBound} ${bound}, not ${show(how.value)}`;
}

const formats: Readonly<Record<string, string>> = {
  url: 'a URL',
  httpUrl: 'a URL',
  email: 'an e-mail address',
  uuid: 'a UUID',
  datetime: 'a date and time like 2026-01-31T00:00:00Z',
  date: 'a date like 2026-01-31',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
};

function formatWords(format: string, pattern: string | undefined): string {
  return formats[format] ?? (pattern === undefined ? `a text of the form ${format}` : `a text that matches ${pattern}`);
}

function at(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((here, part) => {
    const within = here !== null && typeof here === 'object' && Object.hasOwn(here, part);
    return within ? (here as Readonly<Record<PropertyKey, unknown>>)[part] : undefined;
  }, data);
}
