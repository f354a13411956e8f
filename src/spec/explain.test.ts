import { expect, test } from 'vitest';
import { z } from 'zod';
import { check } from './explain.ts';

function told(schema: z.ZodType, value: unknown): readonly string[] {
  const result = check(schema, value);
  if ('value' in result) return ['accepted'];
  return result.findings.map(({ path, message, hint }) => {
    return `${path.join('.')}| ${message}${hint === undefined ? '' : ` (${hint})`}`;
  });
}

const map = z.strictObject({
  file: z.string(),
  mode: z.enum(['copy', 'link']).optional(),
  port: z.int().min(1).max(65535).optional(),
  tags: z.array(z.string()).min(1).optional(),
  env: z.record(z.string().regex(/^[A-Z]+$/, 'expected a name in capitals'), z.string()).optional(),
});
const listOrMap = z.union([z.array(z.string()), map]);
const fileOrText = z.union([
  z.string(),
  z.strictObject({ file: z.string() }),
  z.strictObject({ text: z.string(), args: z.array(z.string()).optional() }),
]);
const tagged = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('file'), path: z.string() }),
  z.strictObject({ type: z.literal('text'), text: z.string() }),
]);

const folder = z.union([z.literal('/'), z.string().regex(/^\/\w/, 'expected an absolute path')]);
const folderOrMap = z.union([
  folder.transform((path) => ({ path })),
  z.strictObject({ path: folder, a: z.int().optional() }).refine((o) => o.a !== 1, 'not 1'),
]);

test.each<[string, z.ZodType, unknown, string[]]>([
  ['a union in a union, the map meant', folderOrMap, {}, ['| missing "path": a string']],
  ['a union in a union, the word meant', folderOrMap, 'x', ['| expected an absolute path']],
  ['a union in a map', folderOrMap, { path: 'x' }, ['path| expected an absolute path']],
  ['a rule over a map', folderOrMap, { path: '/', a: 1 }, ['| not 1']],
  [
    'a rule over a map beside a typo',
    folderOrMap,
    { path: '/x', a: 1, aa: 2 },
    ['aa| unknown key "aa" (did you mean "a"?)'],
  ],
  ['an enum that is missing', z.strictObject({ mode: z.enum(['a', 'b']) }), {}, ['| missing "mode": one of "a", "b"']],
  ['a missing key', map, {}, ['| missing "file": a string']],
  [
    'an unknown key',
    map,
    { file: 'x', mod: 1 },
    ['| unknown key "mod" (did you mean "mode"?)'].map((line) => `mod${line}`),
  ],
  ['a misspelt required key, once', map, { fiel: 'x' }, ['fiel| unknown key "fiel" (did you mean "file"?)']],
  [
    'a far unknown key',
    map,
    { file: 'x', zebra: 1 },
    ['zebra| unknown key "zebra" (known keys: env, file, mode, port, tags)'],
  ],
  [
    'a wrong word',
    map,
    { file: 'x', mode: 'lnik' },
    ['mode| expected one of "copy", "link", not "lnik" (did you mean "link"?)'],
  ],
  ['a number out of range', map, { file: 'x', port: 0 }, ['port| expected at least 1, not 0']],
  ['half a number', map, { file: 'x', port: 1.5 }, ['port| expected a whole number from 1 to 65535, not 1.5']],
  ['an empty list', map, { file: 'x', tags: [] }, ['tags| expected a list with at least one entry']],
  [
    'a number for a string',
    map,
    { file: 8 },
    ['file| expected a string, not 8 (put it in quotes to make it a string)'],
  ],
  ['a wrong key name', map, { file: 'x', env: { low: 'x' } }, ['env.low| expected a name in capitals']],
  ['a wrong value in a record', map, { file: 'x', env: { UP: ['x'] } }, ['env.UP| expected a string, not a list']],
  ['a word where a map stands', map, 'x', ['| expected a map with file, mode, port, tags, env, not "x"']],
  [
    'a union, wrong shape',
    listOrMap,
    'vim',
    ['| expected a list of strings or a map with file, mode, port, tags, env, not "vim"'],
  ],
  [
    'a union, the list meant',
    listOrMap,
    ['a', 1],
    ['1| expected a string, not 1 (put it in quotes to make it a string)'],
  ],
  [
    'a union, the map meant',
    listOrMap,
    { file: 'x', port: 'y' },
    ['port| expected a whole number from 1 to 65535, not "y"'],
  ],
  ['a union of maps, a typo', fileOrText, { txt: 'x' }, ['txt| unknown key "txt" (did you mean "text"?)']],
  [
    'a union of maps, both',
    fileOrText,
    { file: 'x', text: 'y' },
    ['text| "text" cannot stand beside the other keys here'],
  ],
  [
    'a union of words',
    z.union([z.literal('a'), z.literal('bee')]),
    'be',
    ['| expected one of "a", "bee", not "be" (did you mean "bee"?)'],
  ],
  [
    'one or many words',
    z.union([z.enum(['bios', 'uefi']), z.array(z.enum(['bios', 'uefi']))]),
    ['bois'],
    ['0| expected one of "bios", "uefi", not "bois" (did you mean "bios"?)'],
  ],
  [
    'a wrong tag',
    tagged,
    { type: 'fiel', path: 'x' },
    ['type| expected one of "file", "text", not "fiel" (did you mean "file"?)'],
  ],
  ['no tag', tagged, { path: 'x' }, ['| missing "type": one of "file", "text"']],
  [
    'a tagged map',
    tagged,
    { type: 'text', path: 'x' },
    ['| missing "text": a string', 'path| "path" cannot stand beside the other keys here'],
  ],
  ['an empty string', z.string().min(1), '', ['| expected a text that is not empty']],
  ['a long string', z.string().max(2), 'abc', ['| expected at most 2 characters']],
  ['a pattern', z.string().regex(/^a+$/), 'b', ['| expected a text that matches /^a+$/, not "b"']],
  ['a URL', z.url(), 'x', ['| expected a URL, not "x"']],
  ['a multiple', z.number().multipleOf(4), 6, ['| expected a multiple of 4, not 6']],
  ['words of the kind itself', z.string().refine((text) => text !== 'x', 'x is taken'), 'x', ['| x is taken']],
  ['no words of the kind', z.string().refine(() => false), 'x', ['| "x" is not accepted here']],
  [
    'any JSON',
    z.strictObject({ config: z.record(z.string(), z.json()) }),
    { config: 5 },
    ['config| expected a map, not 5'],
  ],
  ['nothing', z.string(), null, ['| expected a string, not nothing']],
])('%s is told in plain words', (_, schema, value, expected) => {
  expect(told(schema, value)).toEqual(expected);
});

test('a long or multi-line value is shown short and in one line', () => {
  expect(told(z.int(), `a\nb ${'x'.repeat(500)}`)[0]).toMatch(/^\| expected a whole number, not "a b x{50,60}\.\.\."$/);
});

test('what fits comes back with defaults filled in', () => {
  expect(check(z.strictObject({ a: z.int().default(3) }), {})).toEqual({ value: { a: 3 } });
});
