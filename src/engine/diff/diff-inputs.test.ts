import { expect, test } from 'vitest';
import type { ManifestStep } from '../../core/manifest.ts';
import type { Inputs } from '../../core/plan.ts';
import { compareInputs } from './diff-inputs.ts';

function step(id: string, title: string, inputs: Inputs): ManifestStep {
  return { id, title, key: id, outcome: 'done', seconds: 1, inputs };
}

const tools = { mke2fs: '1.47.0' };
const source = step('source', 'debian trixie', { 'options.suite': 'trixie', 'pin epoch': '1' });
const compare = (from: readonly ManifestStep[], to: readonly ManifestStep[]) =>
  compareInputs({ steps: from, tools }, { steps: to, tools });

test('a script, an option and a pin that changed are told under the title of their step', () => {
  const shell = (file: string) =>
    step('1-shell', 'scripts/base.sh', { 'options.file': 'scripts/base.sh', 'file scripts/base.sh': file });
  const later = step('source', 'debian forky', { 'options.suite': 'forky', 'pin epoch': '2' });
  expect(compare([source, shell('a'.repeat(64))], [later, shell('b'.repeat(64))])).toEqual([
    { name: 'debian forky: pin epoch', from: '1', to: '2' },
    { name: 'debian forky: suite', from: 'trixie', to: 'forky' },
    { name: 'scripts/base.sh: file scripts/base.sh', from: 'aaaaaaaaaaaa', to: 'bbbbbbbbbbbb' },
  ]);
});

test('an entry that is put first in a list is one change', () => {
  const before = step('1-packages', 'install vim', { 'options.install.0': 'vim' });
  const now = step('1-packages', 'install nano vim', { 'options.install.0': 'nano', 'options.install.1': 'vim' });
  expect(compare([before], [now])).toEqual([{ name: 'install nano vim: install', to: 'nano' }]);
});

test('another order of a list is a change', () => {
  const before = step('1-shell', 'run', { 'options.args.0': 'a', 'options.args.1': 'b' });
  const now = step('1-shell', 'run', { 'options.args.0': 'b', 'options.args.1': 'a' });
  expect(compare([before], [now])).toEqual([{ name: 'run: args', from: 'a b', to: 'b a' }]);
});

test('a step that is put between others is new, and those after it did not change', () => {
  const vim = (at: number) => step(`${at}-packages`, 'install vim', { 'options.install.0': 'vim' });
  const added = step('1-shell', 'scripts/base.sh', { 'options.file': 'scripts/base.sh' });
  expect(compare([source, vim(1)], [source, added, vim(2)])).toEqual([{ name: 'scripts/base.sh', to: 'a new step' }]);
  expect(compare([source, added, vim(2)], [source, vim(1)])).toEqual([{ name: 'scripts/base.sh', from: 'a step' }]);
});

test('a long inline script is cut to one line', () => {
  const run = (text: string) => step('1-shell', 'run a script', { 'options.run': text });
  const [change] = compare([run('true\n')], [run(`echo ${'x'.repeat(200)}\n`)]);
  expect(change).toEqual({ name: 'run a script: run', from: 'true', to: `echo ${'x'.repeat(72)}...` });
});

test('another site and other tools are inputs too', () => {
  const from = { steps: [], tools: { mke2fs: '1.47.0' }, site: 'dvnt' };
  const to = { steps: [], tools: { mke2fs: '1.47.2' }, site: 'dvntm' };
  expect(compareInputs(from, to)).toEqual([
    { name: 'site', from: 'dvnt', to: 'dvntm' },
    { name: 'tool mke2fs', from: '1.47.0', to: '1.47.2' },
  ]);
});
