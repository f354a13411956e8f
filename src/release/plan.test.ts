import { expect, test } from 'vitest';
import type { Entry } from './entry.ts';
import { assetName, comingName, goingName, settledName } from './names.ts';
import { type HeldAsset, planAssets } from './plan.ts';

const subject = { image: 'web', arch: 'x86_64' } as const;
const digest = (letter: string) => letter.repeat(64);

const wanted = (letter: string, name = 'web-x86_64.qcow2') => ({ name, bytes: 5, sha256: digest(letter) });
const held = (letter: string | undefined, name = 'web-x86_64.qcow2', id = 1): HeldAsset => ({
  ...{ id, name, bytes: 5, isWhole: true },
  ...(letter === undefined ? {} : { sha256: digest(letter) }),
});

const entryOf = (letter: string, name = 'web-x86_64.qcow2'): Entry => ({
  ...{ schemaVersion: 1, ...subject, description: '', build: 'b', key: 'k', builtAt: '' },
  files: [{ file: 'web.qcow2', bytes: 5, sha256: digest(letter), assets: [wanted(letter, name)] }],
});

const nothing = { upload: [], arrived: [], keep: [], remove: [] };
const terms = { subject, before: undefined, force: false };

test.each([
  ['nothing is there', [], terms, { upload: [wanted('a')] }],
  ['the same is there', [held('a')], terms, { keep: [wanted('a')] }],
  [
    'the same is there, and all is to be uploaded',
    [held('a')],
    { ...terms, force: true },
    { upload: [wanted('a')], remove: [held('a')] },
  ],
  ['other bytes are there', [held('b')], terms, { upload: [wanted('a')], remove: [held('b')] }],
  ['only the release tells the digest', [held(undefined)], { ...terms, before: entryOf('a') }, { keep: [wanted('a')] }],
  ['nobody tells the digest', [held(undefined)], terms, { upload: [wanted('a')], remove: [held(undefined)] }],
  [
    'an upload failed',
    [{ ...held('a'), isWhole: false }],
    terms,
    { upload: [wanted('a')], remove: [{ ...held('a'), isWhole: false }] },
  ],
  [
    'its size is another',
    [{ ...held('a'), bytes: 4 }],
    terms,
    { upload: [wanted('a')], remove: [{ ...held('a'), bytes: 4 }] },
  ],
])('when %s', (_, there, how, expected) => {
  expect(planAssets(there, [wanted('a')], how)).toEqual({ ...nothing, ...expected });
});

test('what an earlier run uploaded and did not turn is not uploaded again', () => {
  const coming = held('a', comingName('web-x86_64.qcow2', digest('a')), 2);
  const stale = held('c', comingName('web-x86_64.qcow2', digest('c')), 3);
  const going = held('d', goingName('web-x86_64.qcow2', 4), 4);
  expect(planAssets([held('b'), coming, stale, going], [wanted('a')], terms)).toEqual({
    ...nothing,
    arrived: [{ wanted: wanted('a'), held: coming }],
    remove: [held('b'), stale, going],
  });
});

test('what the release held of the image before goes, what is of others stays', () => {
  const old = held('o', 'web-x86_64.vmdk', 2);
  const foreign = ['web-x86_64.txt', 'web.qcow2', 'web-aarch64.qcow2', 'db-x86_64.qcow2'].map((name) =>
    held('f', name, 3),
  );
  const plan = planAssets([held('a'), old, ...foreign], [wanted('a')], {
    ...terms,
    before: entryOf('o', 'web-x86_64.vmdk'),
  });
  expect(plan.remove).toEqual([old]);
});

test('parts of a run that broke off, of another build, go', () => {
  const part = (name: string) => held('p', `web-x86_64.qcow2${name}`, 9);
  const stray = [part('.part00'), part('.part07'), part('.part07.new-0123456789ab')];
  const foreign = [part('.part'), part('.party00'), held('p', 'db-x86_64.qcow2.part00', 9)];
  expect(planAssets([...stray, ...foreign], [wanted('a')], terms).remove).toEqual(stray);
  const split = [wanted('a', 'web-x86_64.qcow2.part00'), wanted('b', 'web-x86_64.qcow2.part01')];
  expect(planAssets([...stray, ...foreign], split, terms).remove).toEqual(stray);
});

test.each([
  ['web.qcow2', 'web-x86_64.qcow2'],
  ['web.qcow2.minisig', 'web-x86_64.qcow2.minisig'],
  ['manifest.json', 'web-x86_64.manifest.json'],
  ['.cache-key', 'web-x86_64.cache-key'],
  ['kernel+initrd~1', 'web-x86_64.kernel.initrd.1'],
])('the file %s is the asset %s', (file, name) => {
  expect(assetName(subject, file)).toBe(name);
});

test.each([
  ['a.qcow2.new-0123456789ab', { name: 'a.qcow2', state: 'coming' }],
  ['a.qcow2.old-17', { name: 'a.qcow2', state: 'going' }],
  ['a.old-17.qcow2', { name: 'a.old-17.qcow2', state: 'settled' }],
  ['a.new-xyz', { name: 'a.new-xyz', state: 'settled' }],
])('%s settles', (name, expected) => {
  expect(settledName(name)).toEqual(expected);
});
