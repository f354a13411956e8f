import { expect, test } from 'vitest';
import { assembleScript } from './assemble.ts';
import { type Entry, entryText, parseEntry, sumsText } from './entry.ts';

const digest = (letter: string) => letter.repeat(64);
const entry: Entry = {
  ...{ schemaVersion: 1, image: 'web', arch: 'x86_64', description: "it's", build: 'b1', key: 'k', builtAt: 'now' },
  files: [
    {
      ...{ file: 'web.qcow2', bytes: 3, sha256: digest('a'), format: 'qcow2' },
      assets: [
        { name: 'web-x86_64.qcow2.part00', bytes: 2, sha256: digest('b') },
        { name: 'web-x86_64.qcow2.part01', bytes: 1, sha256: digest('c') },
      ],
    },
    {
      ...{ file: 'manifest.json', bytes: 9, sha256: digest('d') },
      assets: [{ name: 'web-x86_64.manifest.json', bytes: 9, sha256: digest('d') }],
    },
  ],
};

test('an entry is read as it was written', () => {
  expect(parseEntry(entryText(entry))).toEqual(entry);
  expect(parseEntry(entryText(entry).replace('{', '{ "later": 1,'))).toEqual(entry);
});

test.each([
  ['no JSON', '{'],
  ['another version', entryText(entry).replace('"schemaVersion": 1', '"schemaVersion": 2')],
  ['a path for a name', entryText(entry).replace('"web.qcow2"', '"../web.qcow2"')],
  ['a folder for a name', entryText(entry).replace('"web.qcow2"', '".."')],
  ['an image that is a path', entryText(entry).replace('"image": "web"', '"image": "../x"')],
  ['a build that is a path', entryText(entry).replace('"build": "b1"', '"build": "../b"')],
  ['a command for a name', entryText(entry).replace('part00', '$(x)')],
  ['parts that are not the file', entryText(entry).replace('"bytes": 3', '"bytes": 4')],
  ['one name twice', entryText(entry).replace('"manifest.json"', '"web.qcow2"')],
  ['a digest that is none', entryText(entry).replace(digest('a'), 'aa')],
])('%s is no entry', (_, text) => {
  expect(parseEntry(text)).toBeUndefined();
});

test('checksums are of assets, as sha256sum takes them', () => {
  expect(sumsText(entry).split('\n')[2]).toBe(`${digest('d')}  web-x86_64.manifest.json`);
});

test('only files in parts need a script, which holds nothing but plain words', () => {
  const script = assembleScript(entry, "https://h/o'n/releases/download/v1") ?? '';
  expect(script).toMatch(/^#!\/bin\/sh\n/);
  expect(script).toContain("url=${RELEASE_URL:-'https://h/o'\\''n/releases/download/v1'}");
  expect(script).toContain("cat 'web-x86_64.qcow2.part00' 'web-x86_64.qcow2.part01' >'web.qcow2.partial'");
  expect(script).not.toContain('manifest.json');
  expect(assembleScript({ ...entry, files: entry.files.slice(1) }, 'https://h')).toBeUndefined();
});
