import { expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { keysOf, layout, nothing, stepsOf, storeOf } from '../../test/support/plans.ts';
import { projectOf } from '../../test/support/spec-project.ts';
import type { Lock } from '../core/plan.ts';
import type { ImageSpec } from '../core/spec.ts';
import { parentNames, parentsOf, passesOf, withFamily } from './family.ts';
import { sourceId } from './inputs.ts';
import { planImage } from './plan.ts';

const base = 'source: { packages: { suite: trixie } }\n';
const files = {
  'images/base.yaml': `${base}pass: 2\n`,
  'images/node.yaml': 'source: { image: base }\n',
  'images/top.yaml': 'source: { image: node }\npass: 3\n',
  'images/other.yaml': base,
};
const all = projectOf(files).images;
const image = (name: string): ImageSpec => {
  const found = all.find((spec) => spec.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const names = (specs: readonly ImageSpec[]) => specs.map(({ name }) => name);

test('an image with its parents and theirs, each after those it is made from', () => {
  expect(parentNames(image('top'), fakeKinds)).toEqual(['node']);
  expect(names(parentsOf(image('top'), all, fakeKinds))).toEqual(['node']);
  expect(names(withFamily([image('top')], all, fakeKinds))).toEqual(['base', 'node', 'top']);
  expect(names(withFamily([image('other')], all, fakeKinds))).toEqual(['other']);
});

test('a parent is of the same architecture', () => {
  const both = 'arch: [x86_64, aarch64]\n';
  const two = { 'images/a.yaml': `${both}${base}`, 'images/b.yaml': `${both}source: { image: a }\n` };
  const found = projectOf(two, { arch: 'all' }).images;
  expect(found.map((spec) => parentsOf(spec, found, fakeKinds).map(({ name, arch }) => `${name} ${arch}`))).toEqual([
    [],
    [],
    ['a aarch64'],
    ['a x86_64'],
  ]);
});

test('no image is in an earlier pass than those it is made from', () => {
  const passes = [...passesOf(all, fakeKinds)].map(([{ name }, pass]) => `${name} ${pass}`);
  expect(passes.sort()).toEqual(['base 2', 'node 2', 'other 1', 'top 3']);
});

const locked = (spec: ImageSpec, key: string): Lock => {
  return { files: {}, sources: { [sourceId(spec.source, spec.arch)]: { base: key } } };
};

test('the key of an image follows the key of its parent, and the reason names both', () => {
  const node = image('node');
  const [before, after] = ['a1b2'.padEnd(64, '0'), 'c3d4'.padEnd(64, '0')];
  expect(keysOf(node, locked(node, before))).toEqual(keysOf(node, locked(node, before)));
  expect(keysOf(node, locked(node, before))).not.toContain(keysOf(node, locked(node, after))[0]);
  const built = planImage(node, locked(node, before), nothing, fakeKinds, layout);
  const { stored } = storeOf(built);
  const [source] = stepsOf(planImage(node, locked(node, after), stored, fakeKinds, layout));
  expect(source?.why).toBe('base changed (key a1b2.. -> c3d4..)');
  const [unknown] = stepsOf(planImage(node, { files: {}, sources: {} }, stored, fakeKinds, layout));
  expect([unknown?.key, unknown?.why]).toEqual([undefined, 'base not looked up yet']);
});
