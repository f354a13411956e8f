import { expect, test } from 'vitest';
import { verdict } from './list.ts';
import { systemName } from './show.ts';

test.each([
  [{ NAME: 'Debian GNU/Linux', ID: 'debian', VERSION_ID: '13', DEBIAN_VERSION: '13.3' }, 'Debian GNU/Linux 13.3'],
  // Ubuntu says there which Debian it was made from.
  [{ NAME: 'Ubuntu', ID: 'ubuntu', VERSION_ID: '24.04', DEBIAN_VERSION: 'trixie/sid' }, 'Ubuntu 24.04'],
  [{ ID: 'arch' }, 'arch'],
  [{}, undefined],
])('a system is named with its point release: %j', (system, name) => {
  expect(systemName(system)).toBe(name);
});

const check = (outcome: 'done' | 'cached' | 'failed' | 'skipped') => ({ check: 'c', title: 'c', outcome, seconds: 1 });

test.each([
  [[], 'not run'],
  [[check('skipped')], 'not run'],
  [[check('done'), check('cached'), check('skipped')], 'passed'],
  [[check('done'), check('failed')], 'failed'],
] as const)('the checks of a build together: %j', (checks, word) => {
  expect(verdict(checks)).toBe(word);
});
