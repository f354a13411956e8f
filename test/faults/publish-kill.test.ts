import { expect, test } from 'vitest';
import { openChance } from '../support/seed.ts';
import { killPublishers } from './publishing.ts';
import { scale } from './scale.ts';

/** 1,000 at night. */
const kills = scale === 1 ? 60 : 100 * scale;
const twin = (name: string) => new URL(`programs/twin-${name}.ts`, import.meta.url).pathname;

test.each([
  ['starts that leave the registry behind the tree', 'unsettled', /next start: .*the registry has/],
  ['a registry that is written where it is read', 'torn', /not whole|not valid YAML|no `version|no map/],
  ['a publish that writes in place', 'in-place', /\.sha256 says/],
])('%s are found out', async (_, name, until) => {
  const chance = openChance('publish-kill, twin');
  const { problems } = await killPublishers({ kills: 60, lanes: 2, chance, twin: twin(name), until });
  expect(problems.join('\n')).toMatch(until);
});

test(`${kills} publishers killed at random moments: nothing half visible, registry and tree agree at the next start`, async () => {
  const report = await killPublishers({ kills, lanes: 2, chance: openChance('publish-kill') });
  const moments = [...report.moments].map(([moment, times]) => `${moment} ${times}`).join(', ');
  process.stdout.write(`publish-kill: ${report.kills} kills, ${report.published} publishes; ${moments}\n`);
  expect(report.problems).toEqual([]);
  expect(report.kills).toBeGreaterThanOrEqual(kills);
  expect(report.published).toBeGreaterThanOrEqual(kills);
  expect(report.looks).toBeGreaterThanOrEqual(kills);
  expect([...report.moments.keys()]).toEqual(expect.arrayContaining(['before', 'name']));
});
