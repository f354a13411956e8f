import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type CloudInitOptions, cloudConfig, cloudInit, cloudInitScript } from './cloud-init.ts';

function options(written: unknown): CloudInitOptions {
  return cloudInit.options.parse(written) as CloudInitOptions;
}

test('datasources become a list that comes after the one of the distribution', () => {
  const { script, stdin } = cloudInitScript(options({ datasources: ['NoCloud', 'None'] }));
  expect(script.args).toEqual(['/etc/cloud/cloud.cfg.d/95-ingot-image.cfg', 'root:root', '0644']);
  expect(stdin).toBe('"datasource_list":\n  - "NoCloud"\n  - "None"\n');
});

test('the same settings in another order are the same text', () => {
  const one = options({ config: { b: 1, a: { d: [1], c: true } } });
  const other = options({ config: { a: { c: true, d: [1] }, b: 1 } });
  expect(cloudConfig(one)).toBe(cloudConfig(other));
});

test.each(['1.1', '1.2'] as const)('YAML %s reads back the texts that look like something else', (version) => {
  const texts = [
    'yes',
    'on',
    'null',
    '~',
    '1:30',
    '012',
    '1e3',
    '2020-01-01',
    'a: b',
    'a\tb',
    '# x',
    'a\nb\n',
    '\u2028',
    '',
  ];
  const config = { texts, map: Object.fromEntries(texts.map((text, index) => [text, index])) };
  expect(parse(cloudConfig(options({ config })), { version })).toEqual(config);
});

test('characters that are line ends in YAML 1.1 are escaped', () => {
  expect(cloudConfig(options({ config: { a: '\u0085\u2028' } }))).toBe('"a": "\\u0085\\u2028"\n');
});

test.each([
  [{}],
  [{ datasources: [] }],
  [{ config: {} }],
  [{ datasources: ['No Cloud'] }],
  [{ datasources: ['NoCloud'], config: { datasource_list: [] } }],
  [{ name: '../x', config: { a: 1 } }],
  [{ config: ['a'] }],
])('%j is refused', (written) => {
  expect(cloudInit.options.safeParse(written).success).toBe(false);
});
