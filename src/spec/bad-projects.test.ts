import { expect, test } from 'vitest';
import { problemsOf, type SpecFiles } from '../../test/support/spec-project.ts';

const source = 'source: { packages: { suite: trixie } }\n';

const projects: readonly (readonly [string, SpecFiles, readonly string[]])[] = [
  [
    'an empty image',
    { 'images/a.yaml': '' },
    ['images/a.yaml:1:1 this image has no source (like: source: { packages: { suite: trixie } })'],
  ],
  [
    'an image that is a list',
    { 'images/a.yaml': '- a\n' },
    ['images/a.yaml:1:1 expected a map of settings, not a list'],
  ],
  [
    'an unknown source',
    { 'images/a.yaml': 'source: { package: {} }\n' },
    ['images/a.yaml:1:11 unknown source "package" (did you mean "packages"?)'],
  ],
  [
    'two sources',
    { 'images/a.yaml': 'source:\n  packages: { suite: x }\n  image: y\n' },
    ['images/a.yaml:3:3 a source has one kind: here are "packages" and "image" (an image has one source)'],
  ],
  [
    'a source that lacks an option',
    { 'images/a.yaml': 'source: packages\n' },
    ['images/a.yaml:1:9 packages: missing "suite": a string'],
  ],
  [
    'an image ending in .yml',
    { 'images/a.yml': source },
    ['images/a.yml:1:1 the file of an image ends in .yaml (rename it to a.yaml)'],
  ],
  [
    'an image with a hostile name',
    { 'images/A b;$(x).yaml': source },
    [
      'images/A b;$(x).yaml:1:1 "A b;$(x)" cannot be the name of an image (lower-case letters, digits, "." and "-", starting with a letter or digit, at most 63 characters)',
    ],
  ],
  [
    'a wrong key in ingot.yaml',
    { 'ingot.yaml': 'nam: x\n' },
    ['ingot.yaml:1:1 unknown key "nam" (did you mean "name"?)'],
  ],
  [
    'ingot.yaml that is a word',
    { 'ingot.yaml': 'demo\n' },
    ['ingot.yaml:1:1 expected a map with name, description, release, defaults, publish, not "demo"'],
  ],
  [
    'a release to no repository, without https, with the token itself',
    { 'ingot.yaml': 'release:\n  repository: me\n  api: http://h\n  token: ghp_x\n  tokn: x\n' },
    [
      'ingot.yaml:2:15 release.repository: expected the name of a repository, such as owner/name',
      'ingot.yaml:3:8 release.api: expected an https address, such as https://github.example.org/api/v3',
      'ingot.yaml:4:10 release.token: expected the name of a secret, such as ${secret.github}; never the token itself',
      'ingot.yaml:5:3 release: unknown key "tokn" (did you mean "token"?)',
    ],
  ],
  [
    'a wrong project name',
    { 'ingot.yaml': 'name: ../x\n' },
    [
      'ingot.yaml:1:7 name: expected a name of lower-case letters, digits, "." and "-", starting with a letter or digit, at most 63 characters',
    ],
  ],
  [
    'defaults that are a list',
    { 'ingot.yaml': 'defaults: [x]\n' },
    ['ingot.yaml:1:1 defaults: expected a map of settings'],
  ],
  [
    'a wrong key in defaults',
    { 'ingot.yaml': 'defaults:\n  dsik: 8G\n', 'images/a.yaml': source },
    ['ingot.yaml:2:3 unknown key "dsik" (did you mean "disk"?)'],
  ],
  [
    'versions.yaml with another key',
    { 'versions.yaml': 'pin: {}\n' },
    ['versions.yaml:1:1 unknown key "pin" (did you mean "pins"?)'],
  ],
  [
    'pins that are a list',
    { 'versions.yaml': 'pins: [a]\n' },
    ['versions.yaml:1:1 pins: expected a map from names to pins'],
  ],
  [
    'a pin with a list',
    { 'versions.yaml': 'pins: { a: { url: [x] } }\n' },
    ['versions.yaml:1:14 a.url: expected one value, not a list'],
  ],
  [
    'a pin for an architecture that is a word',
    { 'versions.yaml': 'pins: { a: { aarch64: x } }\n' },
    ['versions.yaml:1:14 a.aarch64: expected a map like { url, sha256 }'],
  ],
  [
    'a site value that is a list',
    { 'sites/s.yaml': 'a: { b: [1] }\n' },
    ['sites/s.yaml:1:6 a.b: expected one value, not a list'],
  ],
  [
    'a site value that is empty',
    { 'sites/s.yaml': 'a:\n' },
    ['sites/s.yaml:1:1 a: there is no value (write "" for an empty one)'],
  ],
  [
    'a site name of a value with dots',
    { 'sites/s.yaml': 'a.b: 1\n' },
    ['sites/s.yaml:1:1 "a.b" cannot be a name here (names have letters, digits, "_" and "-")'],
  ],
  [
    'fragments in a circle',
    {
      'images/a.yaml': `extends: [f/b.yaml]\n${source}`,
      'f/b.yaml': 'extends: [f/c.yaml]\n',
      'f/c.yaml': 'disk: 8G\nextends: [f/b.yaml]\n',
    },
    ['f/c.yaml:2:11 extends goes in a circle: f/b.yaml -> f/c.yaml -> f/b.yaml'],
  ],
  [
    'a fragment almost named right',
    { 'images/a.yaml': `extends: [f/bsae.yaml]\n${source}`, 'f/base.yaml': '' },
    ['images/a.yaml:1:11 no file "f/bsae.yaml" in the project (did you mean "f/base.yaml"?)'],
  ],
  [
    'a problem in a fragment of two images, told once',
    {
      'images/a.yaml': `extends: f.yaml\n${source}`,
      'images/b.yaml': `extends: f.yaml\n${source}`,
      'f.yaml': 'steps: [shel]\n',
    },
    ['f.yaml:1:9 unknown step "shel" (did you mean "shell"?)'],
  ],
  [
    'a missing parent',
    { 'images/a.yaml': 'source: { image: debain }\n', 'images/debian.yaml': source },
    ['images/a.yaml:1:18 there is no image "debain" (did you mean "debian"?)'],
  ],
  [
    'a parent for another architecture',
    { 'images/a.yaml': 'source: { image: b }\narch: [x86_64, aarch64]\n', 'images/b.yaml': source },
    ['images/a.yaml:1:18 image "b" is not made for aarch64 (it is made for: x86_64)'],
  ],
  [
    'a parent without a disk',
    {
      'images/a.yaml': 'source: { image: b }\n',
      'images/b.yaml': `${source}formats: [archive]\n`,
    },
    [
      'images/a.yaml:1:18 no format of image "b" holds a disk that another image can start from (add qcow2 to its formats)',
    ],
  ],
  [
    'images in a circle',
    { 'images/a.yaml': 'source: { image: b }\n', 'images/b.yaml': 'source: { image: a }\n' },
    ['images/b.yaml:1:18 images are made from each other in a circle: a -> b -> a'],
  ],
];

test.each(projects)('a project with %s', (_, files, expected) => {
  expect(problemsOf(files)).toEqual(expected);
});

test('all problems of all files come at once, by file and line', () => {
  const files = {
    'ingot.yaml': 'nam: x\n',
    'versions.yaml': 'pins: { k: [] }\n',
    'sites/s.yaml': 'a: [1]\n',
    'images/b.yaml': 'disk: x\nsource: { packages: {} }\nsteps:\n  - shel: x\n  - packages: vim\nformats: [qcow]\n',
    'images/a.yaml': 'disk: [\n',
  };
  expect(problemsOf(files).map((problem) => problem.split(' ')[0])).toEqual([
    'images/a.yaml:2:1',
    'images/b.yaml:1:7',
    'images/b.yaml:2:11',
    'images/b.yaml:4:5',
    'images/b.yaml:5:15',
    'images/b.yaml:6:11',
    'ingot.yaml:1:1',
    'sites/s.yaml:1:1',
    'versions.yaml:1:9',
  ]);
});

test('a file with thousands of mistakes shows the first of them', () => {
  const text = `${source}steps:\n${'  - shel: x\n'.repeat(3000)}`;
  expect(problemsOf({ 'images/a.yaml': text })).toHaveLength(50);
});
