import { globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { expect, test } from 'vitest';
import { checks } from '../../src/kinds/checks/index.ts';
import { formats } from '../../src/kinds/formats/index.ts';
import { sources } from '../../src/kinds/sources/index.ts';
import { steps } from '../../src/kinds/steps/index.ts';
import { readProject } from '../../src/spec/read-project.ts';

const kinds = { sources, steps, checks, formats };
const projects = globSync('{catalog,examples/*}/ingot.yaml').map((file) => dirname(file));

test.each(projects)('the project %s has images and no mistake', (root) => {
  const files = new Map(
    globSync('**/*.yaml', { cwd: root }).map((path) => [path, readFileSync(`${root}/${path}`, 'utf8')]),
  );
  const { images } = readProject({ root, files }, { kinds, hostArch: 'x86_64' }, { arch: 'all' });
  expect(images.length).toBeGreaterThan(0);
  expect(images.filter((image) => image.checks.length === 0 || image.description === '')).toEqual([]);
});

test('the catalogue has Debian 12 and 13 for both architectures', () => {
  const files = new Map(
    globSync('**/*.yaml', { cwd: 'catalog' }).map((path) => [path, readFileSync(`catalog/${path}`, 'utf8')]),
  );
  const { images } = readProject({ root: 'catalog', files }, { kinds, hostArch: 'x86_64' }, { arch: 'all' });
  const names = images.map(({ name, arch }) => `${name} ${arch}`);
  expect(names).toEqual(
    expect.arrayContaining(['debian-12 x86_64', 'debian-12 aarch64', 'debian-13 x86_64', 'debian-13 aarch64']),
  );
});

test('an image of the catalogue is a few lines over shared fragments', () => {
  for (const file of globSync('catalog/images/*.yaml')) {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').length;
    expect({ image: basename(file), lines, short: lines >= 5 && lines <= 15 }).toMatchObject({ short: true });
  }
});
