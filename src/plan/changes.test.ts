import { expect, test } from 'vitest';
import { withStepVersion } from '../../test/support/fake-kinds.ts';
import { lockOf, planned, planText, planVersions, reasons } from '../../test/support/plans.ts';
import { imageOf } from '../../test/support/spec-project.ts';
import { changesOf } from './changes.ts';

test.each<[string, (before: string) => string, readonly string[]]>([
  [
    'a package more and one less',
    (t) => t.replace('vim, htop', 'htop, jq'),
    [
      'source: hit',
      '1-packages: option install: + jq, - vim',
      '2-shell: follows a changed step',
      '3-shell: follows a changed step',
      '4-copy: follows a changed step',
    ],
  ],
  [
    'another order',
    (t) => t.replace('vim, htop', 'htop, vim'),
    [
      'source: hit',
      '1-packages: option install: another order',
      '2-shell: follows a changed step',
      '3-shell: follows a changed step',
      '4-copy: follows a changed step',
    ],
  ],
  [
    'another suite',
    (t) => t.replace('trixie', 'forky'),
    [
      'source: option suite: trixie -> forky',
      '1-packages: follows a changed step',
      '2-shell: follows a changed step',
      '3-shell: follows a changed step',
      '4-copy: follows a changed step',
    ],
  ],
  [
    'a new step in the middle',
    (t) => t.replace('  - shell: scripts', '  - upgrade: true\n  - shell: scripts'),
    [
      'source: hit',
      '1-packages: hit',
      '2-packages: new step',
      '3-shell: follows a changed step',
      '4-shell: follows a changed step',
      '5-copy: follows a changed step',
    ],
  ],
  [
    'a step less in the middle',
    (t) => t.replace('  - shell: scripts/base.sh\n', ''),
    ['source: hit', '1-packages: hit', '2-shell: follows a removed step (2-shell)', '3-copy: follows a changed step'],
  ],
  [
    'a step less at the end',
    (t) => t.replace(/ {2}- copy.*\n/, ''),
    ['source: hit', '1-packages: hit', '2-shell: hit', '3-shell: hit'],
  ],
  [
    'another file',
    (t) => t.replace('base.sh', 'other.sh'),
    [
      'source: hit',
      '1-packages: hit',
      '2-shell: option file: scripts/base.sh -> scripts/other.sh',
      '3-shell: follows a changed step',
      '4-copy: follows a changed step',
    ],
  ],
  [
    'two changes',
    (t) => t.replace('vim', 'jq').replace('/etc/motd', '/etc/issue'),
    [
      'source: hit',
      '1-packages: option install: + jq, - vim',
      '2-shell: follows a changed step',
      '3-shell: follows a changed step',
      '4-copy: option to: /etc/motd -> /etc/issue',
    ],
  ],
  [
    'another secret',
    (t) => t.replace('secret.token', 'secret.key'),
    [
      'source: hit',
      '1-packages: hit',
      '2-shell: hit',
      '3-shell: option env.T: ${secret.token} -> ${secret.key}; secret token is no longer used; secret key is new',
      '4-copy: follows a changed step',
    ],
  ],
])('the reasons after %s', (_, change, expected) => {
  expect(reasons(planned, imageOf(change(planText), planVersions))).toEqual(expected);
});

test('a changed byte in a script is told with both digests', () => {
  const [before, after] = ['3f2a'.padEnd(64, '0'), '91bc'.padEnd(64, '0')];
  const was = lockOf(planned, { 'scripts/base.sh': before });
  const lock = lockOf(planned, { 'scripts/base.sh': after });
  expect(reasons(planned, planned, { was, lock })[2]).toBe('2-shell: scripts/base.sh changed (3f2a.. -> 91bc..)');
});

test('a changed pin is told once, not again for the option that holds it', () => {
  const now = imageOf(planText, { 'versions.yaml': 'pins: { k3s: { version: v2 } }\n' });
  expect(reasons(planned, now)[3]).toBe('3-shell: pin k3s.version v1 -> v2');
  const lock = lockOf(planned, {}, { release: 'r2', extra: 1 });
  expect(reasons(planned, planned, { lock })[0]).toBe('source: pin release r1 -> r2; pin extra is new');
});

test('a new version of a kind runs its steps again', () => {
  const kinds = withStepVersion('copy', 2);
  expect(reasons(planned, planned, { kinds })[4]).toBe('4-copy: this version of Ingot does it another way (1 -> 2)');
});

test('a source change with hundreds of pins is told in a few words', () => {
  const pins = (version: string) => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${i}`, version]));
  const [first] = reasons(planned, planned, {
    was: lockOf(planned, {}, pins('1')),
    lock: lockOf(planned, {}, pins('2')),
  });
  expect(first).toBe('source: pin p0 1 -> 2; pin p1 1 -> 2; pin p2 1 -> 2; and 297 more changes');
});

test('a changed script planText of many lines is only named', () => {
  const inline = (line: string) => imageOf(`${planText}  - shell: |\n      set -e\n      ${line}\n`, planVersions);
  expect(reasons(inline('true'), inline('false'))[5]).toBe('5-shell: option run changed');
});

test.each([
  [
    { 'options.a.0.x': '1', 'options.a.1.x': '2' },
    { 'options.a.0.x': '1', 'options.a.1.x': '3' },
    ['option a.1.x: 2 -> 3'],
  ],
  [{ options: 'true' }, { options: 'false' }, ['options: true -> false']],
  [{ 'options.0': 'a' }, { 'options.0': 'a', 'options.1': 'b' }, ['options: + b']],
  [{ 'options.a.0': 'x', 'options.a.1': 'x' }, { 'options.a.0': 'x' }, ['option a: - x']],
  [{}, { 'options.mode': '' }, ['option mode: + ""']],
  [{ 'options.sha256': 'a'.repeat(64) }, { 'options.sha256': 'b'.repeat(64) }, ['option sha256: aaaa.. -> bbbb..']],
  [
    { 'site net.gw': '1', 'options.run': 'via 1 $&' },
    { 'site net.gw': '$2', 'options.run': 'via $2 $&' },
    ['site net.gw 1 -> $2'],
  ],
  [
    { 'site a': '1', 'options.run': 'x 1' },
    { 'site a': '2', 'options.run': 'y 2' },
    ['site a 1 -> 2', 'option run: x 1 -> y 2'],
  ],
  [{ 'file a.sh': 'x' }, {}, ['a.sh is no longer used']],
  [
    { 'image debian-13': 'a1b2'.padEnd(64, '0') },
    { 'image debian-13': 'c3d4'.padEnd(64, '0') },
    ['debian-13 changed (key a1b2.. -> c3d4..)'],
  ],
  [
    { options: 'debian-12', 'image debian-12': 'x' },
    { options: 'debian-13', 'image debian-13': 'y' },
    ['options: debian-12 -> debian-13'],
  ],
  [{ arch: 'x86_64' }, { arch: 'aarch64' }, ['its inputs changed']],
  [{ 'options.a': 'same' }, { 'options.a': 'same' }, []],
])('from %j to %j the words are %j', (before, now, words) => {
  expect(changesOf(before, now)).toEqual(words);
});

test('a digest is shown by its first digits, with the name of its algorithm where that is said', () => {
  const pin = (text: string) => ({ 'pin digest': text });
  const [a, b] = ['a', 'b'].map((digit) => digit.repeat(64)) as [string, string];
  expect(changesOf(pin(a), pin(b))).toEqual(['pin digest aaaa.. -> bbbb..']);
  expect(changesOf(pin(`sha256:${a}`), pin(`sha512:${b}${b}`))).toEqual(['pin digest sha256:aaaa.. -> sha512:bbbb..']);
});
