import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { referenceFolder, referencePages } from './reference.ts';

test('the reference says what the kinds say; `npm run docs:reference` writes it', () => {
  const written = globSync('**/*.md', { cwd: referenceFolder }).map(
    (path) => [path, readFileSync(`${referenceFolder}/${path}`, 'utf8')] as const,
  );
  expect(Object.fromEntries(written)).toEqual(referencePages());
});
