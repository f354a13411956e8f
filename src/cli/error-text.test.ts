import { expect, test } from 'vitest';
import { IngotError, SpecError } from '../core/errors.ts';
import { errorJson, errorLines } from './error-text.ts';
import { painter } from './terminal.ts';

const plain = { paint: painter(false), color: false, cwd: '/home/me/lab' };

test('an error shows cause, place with a caret, supporting lines, and the next step last', () => {
  const error = new IngotError({
    code: 'STEP_FAILED',
    message: 'scripts/base.sh ended with exit code 1',
    place: { file: '/home/me/lab/images/debian-13.yaml', line: 12, column: 5, source: '  - shell: scripts/base.sh' },
    detail: ['last line\u001b[2J'],
    hint: 'ingot build debian-13 --on-error shell',
  });
  expect(errorLines(errorJson(error), plain)).toEqual([
    'error[STEP_FAILED]: scripts/base.sh ended with exit code 1',
    '  --> images/debian-13.yaml:12:5',
    '     |',
    '  12 |   - shell: scripts/base.sh',
    '     |     ^',
    '  last line',
    'next: ingot build debian-13 --on-error shell',
  ]);
});

test('every problem of the files is shown at its place, then their number', () => {
  const error = new SpecError([
    {
      message: 'unknown key stpes',
      place: { file: 'a.yaml', line: 3, column: 1, source: 'stpes: []' },
      hint: 'did you mean steps?',
    },
    { message: 'arch must be a list', place: { file: 'b.yaml', line: 1, column: 7 } },
  ]);
  expect(errorLines(errorJson(error), plain)).toEqual([
    'error: unknown key stpes',
    '  --> a.yaml:3:1',
    '    |',
    '  3 | stpes: []',
    '    | ^',
    '  = did you mean steps?',
    '',
    'error: arch must be a list',
    '  --> b.yaml:1:7',
    '',
    "error[SPEC_INVALID]: 2 problems in the project's files",
  ]);
});

test('what is no IngotError is a bug, with its stack', () => {
  const json = errorJson(new TypeError('x is not a function'));
  expect(json).toMatchObject({ code: 'INTERNAL', message: 'TypeError: x is not a function' });
  expect(json.detail?.[0]).toMatch(/^at /);
  expect(json.hint).toContain('report');
  expect(errorJson('thrown text').message).toBe('thrown text');
});
