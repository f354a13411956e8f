import { expect, test } from 'vitest';
import { cruiseProblems, isLeftover, lockfileProblems } from './checks.ts';
import { closingLine, countOf } from './run.ts';

const clean = JSON.stringify({ modules: [{ source: 'src/a.ts' }], summary: { violations: [] } });

test('a cruise that saw every source file and found nothing is fine', () => {
  expect(cruiseProblems(clean, ['src/a.ts'])).toEqual([]);
});

test('a cruise that saw no source file fails', () => {
  expect(cruiseProblems('{"modules":[],"summary":{"violations":[]}}', ['src/a.ts'])).toEqual(['not cruised: src/a.ts']);
  expect(cruiseProblems('{"modules":[],"summary":{"violations":[]}}', [])).toEqual(['no source files found']);
});

test('a cruise that crashed fails with what it said', () => {
  expect(cruiseProblems('cannot find TypeScript', ['src/a.ts'])).toEqual(['cannot find TypeScript']);
});

test('a broken import rule is told with its way', () => {
  const violation = {
    rule: { name: 'no-cycles' },
    from: 'src/a.ts',
    to: 'src/b.ts',
    cycle: [{ name: 'src/b.ts' }, { name: 'src/a.ts' }],
  };
  const report = JSON.stringify({ modules: [{ source: 'src/a.ts' }], summary: { violations: [violation] } });
  expect(cruiseProblems(report, ['src/a.ts'])).toEqual(['no-cycles: src/a.ts -> src/b.ts -> src/a.ts']);
});

test('a lockfile without a platform package is refused', () => {
  const packages = {
    '': { optionalDependencies: { 'node-here': '1' } },
    'node_modules/node-here': {},
    'node_modules/tool': { optionalDependencies: { 'tool-linux': '1', 'tool-mac': '1' } },
    'node_modules/tool/node_modules/tool-linux': {},
  };
  expect(lockfileProblems(JSON.stringify({ packages }))).toEqual([
    'node_modules/tool: no entry for its optional dependency tool-mac',
  ]);
});

test('a lockfile with the address of a registry is refused', () => {
  const packages = { 'node_modules/tool': { resolved: 'https://registry.example/tool.tgz' } };
  expect(lockfileProblems(JSON.stringify({ packages }))).toEqual(["node_modules/tool: has a registry's address"]);
});

test('the numbers of a test report are summed as it says', () => {
  const report = JSON.stringify({ numPassedTests: 4, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1 });
  expect(closingLine(countOf(report, 1))).toBe('4 passed, 2 failed, 2 skipped');
});

test('a suite that failed without a failed test counts as one failure', () => {
  expect(countOf(JSON.stringify({ numPassedTests: 4, numFailedTests: 0 }), 1).failed).toBe(1);
  expect(countOf(undefined, 1).failed).toBe(1);
});

test('a note of work not done is found, a word that holds one is not', () => {
  expect(isLeftover(`// ${'TO'}${'DO'} later`)).toBe(true);
  expect(isLeftover('the whole shack')).toBe(false);
});
