import { expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { projectSchema } from './schema.ts';
import { imageKeys } from './settings.ts';
import { type JsonSchema, schemasAt } from './words.ts';

const schema = projectSchema(fakeKinds);

function at(...path: readonly PropertyKey[]): readonly JsonSchema[] {
  return schemasAt(schema.image, path);
}

test('every key of an image is there with words about it, and no other', () => {
  const properties = schema.image['properties'] as Readonly<Record<string, JsonSchema>>;
  expect(Object.keys(properties).sort()).toEqual([...imageKeys].sort());
  const silent = Object.entries(properties).filter(([, one]) => typeof one['description'] !== 'string');
  expect(silent.map(([name]) => name)).toEqual([]);
  expect(schema.image).toMatchObject({
    additionalProperties: false,
    $schema: 'https://json-schema.org/draft/2020-12/schema',
  });
});

test.each([
  ['steps', fakeKinds.steps],
  ['checks', fakeKinds.checks],
  ['formats', fakeKinds.formats],
] as const)('an editor can complete the kinds of %s by name, with their summaries', (list, kinds) => {
  const [words, map] = at(list, 0);
  expect(words?.['enum']).toEqual(expect.arrayContaining([...kinds.keys()]));
  const properties = map?.['properties'] as Readonly<Record<string, JsonSchema>>;
  for (const [name, kind] of kinds) {
    expect(properties[name]).toMatchObject({ description: kind.summary, examples: [kind.example] });
  }
  expect(Object.keys(properties)).toContain('when');
});

test('options of a kind are completed too, in each form it accepts', () => {
  expect(at('source', 'packages', 'distro')).toMatchObject([{ enum: ['debian', 'ubuntu'] }]);
  expect(at('steps', 0, 'packages').map((one) => one['type'])).toEqual(['array', 'object', 'null']);
  expect(at('steps', 0, 'copy').map((one) => one['required'])).toEqual([
    ['from', 'path', 'to'],
    ['from', 'content', 'to'],
    undefined,
  ]);
  expect(at('steps', 0, 'upgrade')).toMatchObject([{ type: 'boolean' }]);
});

test('each example fits the shape of one form of its kind', () => {
  const types = (value: unknown) => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);
  for (const [list, kinds] of [
    ['steps', fakeKinds.steps],
    ['checks', fakeKinds.checks],
    ['formats', fakeKinds.formats],
  ] as const) {
    for (const [name, kind] of kinds) {
      expect(at(list, 0, name).map((one) => one['type'])).toContain(types(kind.example));
    }
  }
});

test('every reference leads to a definition of its own file', () => {
  for (const file of [schema.image, schema.project]) {
    const text = JSON.stringify(file);
    const targets = [...text.matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(Object.keys(file['$defs'] as object)).toEqual(expect.arrayContaining(targets));
    expect(text).not.toContain('"$ref":"#"');
  }
  expect(JSON.stringify(schema.image)).toContain('"$ref":"#/$defs/step-cloud-init-');
});

test('ingot.yaml takes an image as its defaults, and versions.yaml takes pins', () => {
  expect(schema.project).toMatchObject({
    properties: { name: {}, description: {}, defaults: { $ref: '#/$defs/image' } },
    additionalProperties: false,
  });
  expect(schema.versions).toMatchObject({ properties: { pins: {} }, additionalProperties: false });
});

test('isos.yaml takes ISOs by name, and an image the name of one', () => {
  const names = { 'x.y': true, X: false };
  const { pattern } = schema.isos['propertyNames'] as { readonly pattern: string };
  for (const [name, fits] of Object.entries(names)) expect(new RegExp(pattern).test(name)).toBe(fits);
  const [entry] = schemasAt(schema.isos, ['debian-13']);
  expect(entry).toMatchObject({ required: ['distribution', 'arch'], additionalProperties: false });
  expect(schemasAt(schema.isos, ['debian-13', 'arch']).map((one) => one['type'])).toEqual(['string', 'object']);
  expect(at('source', 'installer', 'iso')).toEqual([{ type: 'string' }]);
});
