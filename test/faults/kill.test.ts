import { expect, test } from 'vitest';
import { openChance } from '../support/seed.ts';
import { killBuilds } from './killing.ts';

const chance = openChance('kill');
const twin = (name: string) => new URL(`programs/twin-${name}.ts`, import.meta.url).pathname;

test('a reader notices a publish that writes in place', async () => {
  const { problems } = await killBuilds({ kills: 30, workers: 1, chance, twin: twin('in-place'), untilProblem: true });
  expect(problems.join('\n')).toMatch(/seen: .* (says|no manifest|the manifest says)/);
});

test('a reader notices a file and its digest that are replaced one after the other', async () => {
  const { problems } = await killBuilds({ kills: 30, workers: 1, chance, twin: twin('pair'), untilProblem: true });
  expect(problems.join('\n')).toMatch(/seen: .* says/);
});

const slow = { formats: 'formats: [{ slow: { seconds: 20 } }]\n', workers: 1, kills: 3, chance };

test('programs that are not bound to their parent are found when they live on', async () => {
  const { problems } = await killBuilds({ ...slow, from: 0.5, twin: twin('plain-spawn'), untilProblem: true });
  expect(problems.join('\n')).toMatch(/lives on: .*sleep/);
});

test('100 builds killed at random moments: no wrong artifact, no orphan, no leftover, each resumed', async () => {
  const report = await killBuilds({ kills: 100, workers: 2, chance });
  expect(report.problems).toEqual([]);
  // Two may have been under way when the hundredth fell.
  expect(report.kills).toBeGreaterThanOrEqual(100);
  expect(report.moments.size).toBeGreaterThanOrEqual(8);
  expect(report.layersReused).toBeGreaterThanOrEqual(100);
  expect(report.versions.size).toBeGreaterThanOrEqual(100);
  expect(report.looks).toBeGreaterThanOrEqual(100);
});
