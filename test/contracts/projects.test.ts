import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { digest } from '../../src/core/keys.ts';
import type { ImageSpec } from '../../src/core/spec.ts';
import { checks } from '../../src/kinds/checks/index.ts';
import { formats } from '../../src/kinds/formats/index.ts';
import { sources } from '../../src/kinds/sources/index.ts';
import { steps } from '../../src/kinds/steps/index.ts';
import { filesToDigest, sourceId } from '../../src/plan/inputs.ts';
import { planImage } from '../../src/plan/plan.ts';
import { readProject } from '../../src/spec/read-project.ts';

const kinds = { sources, steps, checks, formats };
const projects = globSync('{catalog,examples/*}/ingot.yaml').map((file) => dirname(file));

function imagesOf(root: string): readonly ImageSpec[] {
  const files = new Map(
    globSync('**/*.yaml', { cwd: root }).map((path) => [path, readFileSync(join(root, path), 'utf8')]),
  );
  return readProject({ root, files }, { kinds, hostArch: 'x86_64' }, { arch: 'all' }).images;
}

test.each(projects)('the project %s has images and no mistake', (root) => {
  const images = imagesOf(root);
  expect(images.length).toBeGreaterThan(0);
  expect(images.filter((image) => image.checks.length === 0 || image.description === '')).toEqual([]);
});

test.each(projects)('each step of the project %s can be planned, and the files it uses are there', (root) => {
  const nothing = { hasLayer: () => false, history: () => undefined };
  for (const spec of imagesOf(root)) {
    const paths = filesToDigest(spec, kinds);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const files = Object.fromEntries(paths.map((path) => [path, digest(path)]));
    const lock = { files, sources: { [sourceId(spec.source, spec.arch)]: 'a pin' } };
    const plan = planImage(spec, lock, nothing, kinds, { seal: 1, disk: 1 });
    const planned = plan.stages.flatMap((stage) => stage.steps);
    expect(planned.filter(({ key }) => key === undefined)).toEqual([]);
    expect(planned.length).toBeGreaterThan(spec.steps.length);
    expect(plan.key).toBeDefined();
  }
});

test('the catalogue has Debian 12 and 13 for both architectures', () => {
  const names = imagesOf('catalog').map(({ name, arch }) => `${name} ${arch}`);
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
