import { expect, test } from 'vitest';
import { openChance } from '../support/seed.ts';
import { killBuilds } from './killing.ts';
import { scale } from './scale.ts';

const kills = 100 * scale;
const twin = (name: string) => new URL(`programs/twin-${name}.ts`, import.meta.url).pathname;
/** At most so many kills, until a broken twin is found out. */
const few = () => ({ kills: 30, workers: 1, chance: openChance('kill, twin') });

test.each([
  ['a publish that writes in place', 'in-place'],
  ['a file and its digest that are replaced one after the other', 'pair'],
])('a reader notices %s', async (_, name) => {
  const until = /seen: .*\.sha256 says/;
  const { problems } = await killBuilds({ ...few(), until, twin: twin(name) });
  expect(problems.join('\n')).toMatch(until);
});

test('programs that are not bound to their parent are found when they live on', async () => {
  const slow = { formats: 'formats: [{ slow: { seconds: 60 } }]\n', during: 'sleep' };
  const until = /lives on: .*sleep/;
  const { problems } = await killBuilds({ ...few(), ...slow, until, twin: twin('plain-spawn') });
  expect(problems.join('\n')).toMatch(until);
});

test(`${kills} builds killed at random moments: no wrong artifact, no orphan, no leftover, each resumed`, async () => {
  const report = await killBuilds({ kills, workers: 2, chance: openChance('kill') });
  process.stdout.write(`kill: ${[...report.moments].map(([step, times]) => `${step} ${times}`).join(', ')}\n`);
  expect(report.problems).toEqual([]);
  // Two may have been under way when the last fell.
  expect(report.kills).toBeGreaterThanOrEqual(kills);
  expect(report.moments.size).toBeGreaterThanOrEqual(8);
  expect(report.moments.get('publish')).toBeGreaterThanOrEqual(kills / 20);
  expect(report.layersReused).toBeGreaterThanOrEqual(kills);
  expect(report.versions.size).toBeGreaterThanOrEqual(kills);
  expect(report.looks).toBeGreaterThanOrEqual(kills);
});
