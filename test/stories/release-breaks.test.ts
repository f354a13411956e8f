import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { noise, openLab, type ReleaseLab } from '../support/release-lab.ts';
import { openChance } from '../support/seed.ts';

let lab: ReleaseLab;
afterEach(async () => {
  await lab.close();
});

const command = 'release web --execute --part-size 64K';
const disk = (build: string) => noise(build, 100_000);
const elsewhere = { env: {}, home: 'other' };

test('wherever a run is broken off, readers have a whole build, and the next run ends it', async () => {
  const { seed } = openChance('where runs break off');
  lab = await openLab();
  await lab.finish({ build: '01', disk: disk('01') });
  await lab.run(command);
  const before = lab.github.releases.map((one) => ({ ...one, assets: one.assets.map((asset) => ({ ...asset })) }));
  await lab.finish({ build: '02', disk: disk('02') });
  const first = lab.github.asked.length;
  await lab.run(command);
  const wanted = contents();
  const changes = lab.github.asked.slice(first).filter((line) => !line.startsWith('GET')).length;
  expect(changes).toBeGreaterThan(30);
  const outcomes = new Set<string>();
  // Every fourth place, others with each seed; half of them with the request done and its answer lost.
  for (let at = 1 + (seed % 4); at <= changes; at += 4) {
    lab.github.restore(before);
    lab.github.dieAt(at, (seed + at) % 8 < 4);
    const broken = await lab.run(command);
    lab.github.calm();
    expect([at, broken.code === 0]).toEqual([at, false]);
    const read = await lab.run(`images download web --output got${at}`, elsewhere);
    expect([at, read.code, read.stderr]).toEqual([at, 0, expect.not.stringContaining('error')]);
    const got = await readFile(join(lab.folder, `got${at}/web/x86_64/web.qcow2`));
    const which = got.equals(disk('01')) ? 'old' : got.equals(disk('02')) ? 'new' : 'neither';
    outcomes.add(which);
    const again = await lab.run(command);
    expect([at, again.code, which]).toEqual([at, 0, expect.not.stringContaining('neither')]);
    expect([at, contents()]).toEqual([at, wanted]);
  }
  expect([...outcomes].sort()).toEqual(['new', 'old']);
});

/** Names and digests of all that can be seen. */
function contents(): readonly string[] {
  const [release] = lab.github.releases;
  return (release?.assets ?? []).map(({ name, data, state }) => `${name} ${state} ${data.toString('base64')}`).sort();
}
