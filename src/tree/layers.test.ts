import { expect, test } from 'vitest';
import type { RunOptions } from '../core/host.ts';
import type { TreeSession } from '../core/kinds.ts';
import { applyLayer, difference, parseSnapshot, type Snapshot, takeSnapshot } from './layers.ts';

const snapshot = (entries: Readonly<Record<string, string>>): Snapshot => new Map(Object.entries(entries));

test('names with spaces, tabs and newlines are read whole', () => {
  const text = 'f1.5.0\t./plain\0d2.5.0\t./a b\tc\0l3.5.0\t./new\nline\0';
  expect([...parseSnapshot(text)]).toEqual([
    ['./plain', 'f1.5.0'],
    ['./a b\tc', 'd2.5.0'],
    ['./new\nline', 'l3.5.0'],
  ]);
  expect(parseSnapshot('').size).toBe(0);
});

test.each<[string, Record<string, string>, Record<string, string>, string[], string[]]>([
  ['nothing', { './a': 'f1.1' }, { './a': 'f1.1' }, [], []],
  ['a new file', {}, { './a': 'f1.1' }, ['./a'], []],
  ['a written file', { './a': 'f1.1' }, { './a': 'f1.2' }, ['./a'], []],
  ['a replaced file', { './a': 'f1.1' }, { './a': 'f2.1' }, ['./a'], []],
  ['a removed file', { './a': 'f1.1', './b': 'f2.1' }, { './b': 'f2.1' }, [], ['./a']],
  ['a file that became a link', { './a': 'f1.1' }, { './a': 'l2.2' }, ['./a'], ['./a']],
  [
    'a folder that became a file, all it held with it',
    { './a': 'd1.1', './a/b': 'd2.1', './a/b/c': 'f3.1' },
    { './a': 'f4.2' },
    ['./a'],
    ['./a'],
  ],
  [
    'a removed folder, named once for all it held',
    { './a': 'd1.1', './a/b': 'd2.1', './a/b/c': 'f3.1', './ab': 'f4.1' },
    { './ab': 'f4.1' },
    [],
    ['./a'],
  ],
  [
    'removals below a folder that stays',
    { './a': 'd1.1', './a/b': 'd2.1', './a/b/c': 'f3.1', './a/d': 'f4.1' },
    { './a': 'd1.2' },
    ['./a'],
    ['./a/b', './a/d'],
  ],
  ['odd names, by their bytes', {}, { './\u{1F600}': 'f1.1', './\uFF5E': 'f2.1' }, ['./\uFF5E', './\u{1F600}'], []],
])('the difference of %s', (_, before, after, changed, removed) => {
  expect(difference(snapshot(before), snapshot(after))).toEqual({ changed, removed });
});

test('the removal of a great many files is found at once', () => {
  const many = Array.from({ length: 60_000 }, (_, i) => [`./d${i % 7}/f${i}`, `f${i}.1`] as const);
  const folders = Array.from({ length: 7 }, (_, i) => [`./d${i}`, `d${i}.1`] as const);
  const started = performance.now();
  expect(difference(new Map([...folders, ...many]), new Map(folders)).removed).toHaveLength(60_000);
  expect(performance.now() - started).toBeLessThan(2000);
});

function fakeTree(stdout = ''): { tree: TreeSession; ran: { argv: readonly string[]; options: RunOptions }[] } {
  const ran: { argv: readonly string[]; options: RunOptions }[] = [];
  const run: TreeSession['run'] = async ({ argv }, options) => {
    ran.push({ argv, options });
    return { exitCode: 0, stdout, stderr: '' };
  };
  return { tree: { root: '/t', scratch: '/s', run } as TreeSession, ran };
}

test('a snapshot keeps more output than any tree has', async () => {
  const { tree, ran } = fakeTree('f1.2\t./a\0');
  expect([...(await takeSnapshot(tree))]).toEqual([['./a', 'f1.2']]);
  expect(ran[0]?.options.keepBytes).toBeGreaterThan(200 * 1024 * 1024);
});

test('a layer is put by removals first, each name whole, then the entries', async () => {
  const { tree, ran } = fakeTree();
  await applyLayer(tree, '/l/layer.tar.zst', ['./a b', './-n']);
  expect(ran.map(({ argv }) => argv[0])).toEqual(['sh', 'tar']);
  expect(ran[0]?.options.stdin).toBe('./a b\0./-n\0');
});
