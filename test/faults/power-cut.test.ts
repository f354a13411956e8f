import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openChance } from '../support/seed.ts';
import { type Cut, cutPower } from './power-cut.ts';
import { type GuestParts, makeGuest } from './power-guest.ts';

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

test('12 power cuts: nothing corrupt is visible, nothing acknowledged is lost', async () => {
  const chance = openChance('power cut');
  const cuts = Array.from({ length: 12 }, (): Cut => {
    return { acknowledgements: 2 + Math.floor(chance.next() * 12), delay: Math.floor(chance.next() * 400) };
  });
  const disks = ['ext4-real', 'xfs-real'];
  const report = await cutPower({ parts, folder: join(folder, 'real'), disks, cuts });
  expect([report.corrupt, report.lost]).toEqual([[], []]);
  expect(report.cuts).toBe(12);
  // Each boot but the first finds two file systems that were never unmounted.
  expect(report.recoveries).toBe(24);
});
