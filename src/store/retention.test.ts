import { expect, test } from 'vitest';
import { manifestOf } from '../../test/support/manifests.ts';
import type { Keep, Manifest } from '../core/manifest.ts';
import type { Registry } from '../core/registry.ts';
import { judgeBuilds } from './retention.ts';

const day = 86_400_000;
const nowMs = Date.parse('2026-11-21T12:00:00.000Z');
const daysAgo = (days: number) => new Date(nowMs - days * day).toISOString();

/** A build of so many days ago; ids sort as times do. */
function build(image: string, days: number, fields: Partial<Manifest> = {}) {
  const id = `b${9000 - days}`;
  const manifest = manifestOf(id, { image, key: `${image} ${days}`, builtAt: daysAgo(days), ...fields });
  return { folder: `/images/${image}/.builds/${manifest.arch}-${id}`, manifest };
}
type Built = ReturnType<typeof build>;

const nothing = { current: new Set<string>(), inUse: new Set<string>(), deployments: {} as Registry['deployments'] };

/** Fates by image and age in days, with their reasons. */
function judge(builds: readonly Built[], keep: Keep | undefined, facts: Partial<typeof nothing> = {}) {
  const current = new Set([builds[0]?.folder ?? '']);
  const verdicts = judgeBuilds(builds, { ...nothing, current, keepOf: () => keep, nowMs, ...facts });
  return builds.map(({ folder, manifest }) => {
    const { fate, why } = verdicts.get(folder) ?? { fate: 'lost', why: '' };
    return `${manifest.key}: ${fate}, ${why}`;
  });
}

const ages = [0, 5, 20, 40, 50];
const web = ages.map((days) => build('web', days));
const deployed = { type: 'proxmox', id: '9', deployed_at: 'x', image_cache_key: 'web 40' };

test.each<readonly [string, Keep | undefined, readonly string[]]>([
  ['without a rule', undefined, ['stays, current', 'stays, newest', ...Array(3).fill('open, its image has no `keep`')]],
  [
    'the newest so many',
    { last: 3 },
    [
      ...['stays, current', 'stays, one of the newest 3', 'stays, one of the newest 3'],
      ...Array(2).fill('goes, not one of the newest 3'),
    ],
  ],
  ['the newest alone', { last: 1 }, ['stays, current', ...Array(4).fill('goes, not the newest')]],
  [
    'those of so many days',
    { days: 30 },
    [
      ...['stays, current', 'stays, not older than 30 days', 'stays, not older than 30 days'],
      ...Array(2).fill('goes, older than 30 days'),
    ],
  ],
  [
    'what either speaks for',
    { last: 2, days: 45 },
    [
      ...['stays, current', 'stays, one of the newest 2', 'stays, not older than 45 days'],
      ...['stays, not older than 45 days', 'goes, not one of the newest 2, older than 45 days'],
    ],
  ],
])('%s stay', (_, keep, fates) => {
  expect(judge(web, keep)).toEqual(fates.map((fate, index) => `web ${ages[index]}: ${fate}`));
});

test('the current build stays though it is an older one', () => {
  const facts = { current: new Set([web[3]?.folder ?? '']) };
  expect(judge(web, { last: 1 }, facts)[3]).toBe('web 40: stays, current');
  expect(judge(web, { last: 1 }, facts)[0]).toBe('web 0: stays, the newest');
});

test('what is deployed stays: the build that is named, else the newest of its key', () => {
  const same = [...web, build('web', 41, { key: 'web 40' })];
  const byKey = judge(same, { last: 1 }, { deployments: { web: { pve: deployed, lab: deployed } } });
  expect(byKey.filter((line) => line.includes('stays'))).toEqual([
    'web 0: stays, current',
    'web 40: stays, deployed on pve, lab',
  ]);
  const image = `web@${same[5]?.manifest.build}`;
  const byBuild = judge(same, { last: 1 }, { deployments: { web: { pve: { ...deployed, image } } } });
  expect(byBuild[3]).toBe('web 40: goes, not the newest');
  expect(byBuild[5]).toBe('web 40: stays, deployed on pve');
});

test('a deployment of another image or architecture holds nothing', () => {
  expect(judge(web, { last: 1 }, { deployments: { other: { pve: deployed } } })[3]).toContain('goes');
  const arm = { web: { pve: { ...deployed, arch: 'aarch64' as const } } };
  expect(judge(web, { last: 1 }, { deployments: arm })[3]).toContain('goes');
});

test('what somebody uses stays for now', () => {
  expect(judge(web, { last: 1 }, { inUse: new Set([web[4]?.folder ?? '']) })[4]).toBe('web 50: stays, in use');
});

test('what a build that stays was made from stays, and what that was made from', () => {
  const base = (days: number) => build('base', days);
  const middle = build('middle', 35, { source: { kind: 'image', options: 'base', pin: { base: 'base 40' } } });
  const digest = { sha256: middle.manifest.artifacts[0]?.sha256 ?? '' };
  const top = build('top', 30, { base: { name: 'middle/middle.qcow2', digest } });
  const current = new Set([base(0), build('middle', 1), top].map(({ folder }) => folder));
  const all = [base(0), base(40), base(50), build('middle', 1), middle, top];
  expect(judge(all, { last: 1 }, { current })).toEqual([
    'base 0: stays, current',
    'base 40: stays, middle@b8965 was made from it',
    'base 50: goes, not the newest',
    'middle 1: stays, current',
    'middle 35: stays, top@b8970 was made from it',
    'top 30: stays, current',
  ]);
});

test('what only a build that goes was made from goes with it', () => {
  const child = build('child', 35, { source: { kind: 'image', options: 'base', pin: { base: 'base 40' } } });
  const all = [build('base', 0), build('base', 40), build('child', 0), child];
  const current = new Set([all[0]?.folder ?? '', all[2]?.folder ?? '']);
  expect(judge(all, { last: 1 }, { current })).toEqual([
    'base 0: stays, current',
    'base 40: goes, not the newest',
    'child 0: stays, current',
    'child 35: goes, not the newest',
  ]);
});

test('architectures have their own newest builds', () => {
  const arm = build('web', 60, { arch: 'aarch64' });
  expect(judge([...web, arm], { last: 1 })[5]).toBe('web 60: stays, the newest');
});

test('a build whose time cannot be read is taken for a new one', () => {
  const odd = build('web', 60, { builtAt: 'yesterday' });
  expect(judge([...web, odd], { days: 3 })[5]).toBe('web 60: stays, not older than 3 days');
});
