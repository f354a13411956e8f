import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openChance } from '../support/seed.ts';
import { type Cut, cutPower } from './power-cut.ts';
import { type GuestParts, makeGuest } from './power-guest.ts';
import { scale } from './scale.ts';

let folder = '';
let parts: GuestParts;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-power-'));
  parts = await makeGuest(join(folder, 'guest'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a store that leaves out an fsync is found out', async () => {
  // At once: names are not on the disk yet. Late: the journal has the names, and the bytes are still to come.
  const cuts: readonly Cut[] = [0, 8000, 0].map((delay) => ({ acknowledgements: 4, delay }));
  const options = '--import /main/test/faults/programs/twin-no-fsync.ts';
  const disks = ['ext4-none', 'xfs-none', 'ext4-files', 'xfs-files'];
  const report = await cutPower({ parts, folder: join(folder, 'twins'), disks, cuts, options });
  for (const disk of disks) expect(report.lost.join('\n')).toContain(disk);
  expect(report.corrupt.join('\n')).toContain('ext4-none');
});

const cuts = 12 * scale;
// Two guests side by side: one that boots leaves half of this machine idle.
const guests = 2;

test(`${cuts} power cuts: nothing corrupt is visible, nothing acknowledged is lost, nothing unfinished is left`, async () => {
  const chance = openChance('power cut');
  const draw = (): Cut => {
    return { acknowledgements: 2 + Math.floor(chance.next() * 12), delay: Math.floor(chance.next() * 400) };
  };
  const disks = ['ext4-real', 'xfs-real'];
  const campaigns = Array.from({ length: guests }, (_, n) => {
    return { parts, folder: join(folder, `real-${n}`), disks, cuts: Array.from({ length: cuts / guests }, draw) };
  });
  const reports = await Promise.all(campaigns.map(cutPower));
  for (const { corrupt, lost, left } of reports) expect({ corrupt, lost, left }).toEqual(nothing);
  const sum = (what: 'cuts' | 'recoveries') => reports.reduce((all, report) => all + report[what], 0);
  expect(sum('cuts')).toBe(cuts);
  // Each boot but the first finds two file systems that were never unmounted.
  expect(sum('recoveries')).toBe(2 * cuts);
});

const nothing = { corrupt: [], lost: [], left: [] };
