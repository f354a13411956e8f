import { expect, test } from 'vitest';
import type { FinishedBuild } from '../store/artifacts.ts';
import { chooseBuild } from './find-build.ts';

const builds = ['2026-11-20T23:59:00Z', '2026-11-14T09:00:00Z', '2026-11-14T18:00:00Z'].map((builtAt, index) => ({
  folder: '',
  manifest: { build: `b${index}`, builtAt },
})) as unknown as readonly FinishedBuild[];

test.each([
  ['b1', 'b1'],
  ['2026-11-21', 'b0'],
  ['2026-11-20', 'b0'],
  ['2026-11-19', 'b2'],
  ['2026-11-14', 'b2'],
  ['2026-11-13', undefined],
  ['b9', undefined],
])('%s is the build %s', (said, build) => {
  expect(chooseBuild(builds, said)?.manifest.build).toBe(build);
});
