import { expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { keysOf, layout, lockOf, nothing } from '../../test/support/plans.ts';
import { imageOf, projectOf } from '../../test/support/spec-project.ts';
import { planImage } from '../plan/plan.ts';

const source = 'source: { packages: { suite: trixie } }\n';

test('without a word about it an image has no login of its own and no Secure Boot', () => {
  const image = imageOf(source);
  expect(image.ssh).toBeUndefined();
  expect(image.secureBoot).toBe(false);
});

test.each([
  ['a key', '{ user: admin, key: keys/id_ed25519 }', { user: 'admin', key: 'keys/id_ed25519' }],
  ['a password', '{ user: root, password: "${secret.root}" }', { user: 'root', password: '${secret.root}' }],
  ['a value of the site', '{ user: "${site.user}", key: id }', { user: 'lab', key: 'id' }],
  ['a text that looks like a secret', '{ user: a, password: "$${secret.x}" }', { user: 'a', password: '$${secret.x}' }],
])('a login is read with %s', (_, written, expected) => {
  const site = { 'sites/lab.yaml': 'user: lab\n' };
  expect(imageOf(`${source}ssh: ${written}\n`, site, { site: 'lab' }).ssh).toEqual(expected);
});

test('the login of an image takes the place of the one in its fragment', () => {
  const base = { 'fragments/base.yaml': 'ssh: { user: a, password: x }\n' };
  const image = imageOf(`extends: [fragments/base.yaml]\n${source}ssh: { user: b, key: id }\n`, base);
  expect(image.ssh).toEqual({ user: 'b', key: 'id' });
});

test('Secure Boot is asked for where UEFI is the only firmware, as on arm always', () => {
  expect(imageOf(`${source}firmware: uefi\nsecure-boot: true\n`).secureBoot).toBe(true);
  const [arm] = projectOf({ 'images/a.yaml': `${source}arch: aarch64\nsecure-boot: true\n` }).images;
  expect(arm?.secureBoot).toBe(true);
});

test('neither changes a key: the bytes are the same', () => {
  const plain = imageOf(`${source}firmware: uefi\n`);
  const login = 'ssh: { user: a, password: "${secret.p}" }\n';
  const other = imageOf(`${source}firmware: uefi\nsecure-boot: true\n${login}`);
  expect(keysOf(other)).toEqual(keysOf(plain));
  expect(JSON.stringify(planImage(other, lockOf(other), nothing, fakeKinds, layout))).not.toContain('secret');
});
