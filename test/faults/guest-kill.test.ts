import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GuestLab, openGuestLab, pathOf } from '../support/guest-lab.ts';
import { openChance } from '../support/seed.ts';
import { killGuestBuilds } from './guest-killing.ts';
import { scale } from './scale.ts';

const kills = 6 * scale;
const twin = new URL('programs/twin-plain-start.ts', import.meta.url).pathname;

let lab: GuestLab;
beforeAll(async () => {
  lab = await openGuestLab('test-vm');
  pathOf(await lab.build(['base', '--no-check']), 'base');
});
afterAll(() => lab.close());

test(`${kills} builds in guests killed at random moments: each goes on from its last layer, and nothing of them stays`, async () => {
  const report = await killGuestBuilds({ lab, kills, chance: openChance('guest kill') });
  const moments = [...report.moments].map(([step, times]) => `${step} ${times}`).join(', ');
  process.stdout.write(`guest kill: ${moments}; ${report.layersReused} layers used again, ${report.warm} warm\n`);
  expect(report.problems).toEqual([]);
  expect(report.kills).toBeGreaterThanOrEqual(kills);
  expect(report.moments.size).toBeGreaterThanOrEqual(2);
  expect(report.layersReused).toBeGreaterThanOrEqual(kills);
  expect(report.warm).toBeGreaterThanOrEqual(1);
});

test('a guest that outlives Ingot is found', async () => {
  const { problems } = await killGuestBuilds({ lab, kills: 4, chance: openChance('guest kill, twin'), twin });
  expect(problems.join('\n')).toMatch(/process \d+ lives on: .*qemu-system/);
});
