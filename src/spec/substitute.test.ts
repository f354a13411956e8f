import fc from 'fast-check';
import { expect, test } from 'vitest';
import { imageOf, problemsOf } from '../../test/support/spec-project.ts';
import { readDocument } from './document.ts';
import { plain } from './node.ts';
import { Problems } from './problems.ts';
import { substitute } from './substitute.ts';

const source = 'source: { packages: { suite: trixie } }\n';
const files = {
  'versions.yaml': `pins:
  k3s:
    version: v1.34.1
    url: https://example.org/generic
    aarch64: { url: https://example.org/arm }
  plain: v2
`,
  'sites/lab.yaml': 'net:\n  gateway: 10.0.0.1\n  vlan: 007\nempty: ""\n',
};

function stepOf(text: string, choice = {}): { readonly options: unknown; readonly refs: unknown } {
  const [step] = imageOf(`${source}arch: [x86_64, aarch64]\nsteps:\n  - shell: ${text}\n`, files, {
    site: 'lab',
    ...choice,
  }).steps;
  return { options: step?.options, refs: step?.refs };
}

test.each([
  ['${pins.k3s}', 'v1.34.1'],
  ['${pins.k3s.version}', 'v1.34.1'],
  ['${pins.plain}', 'v2'],
  ['${pins.k3s.url}', 'https://example.org/generic'],
  ['${site.net.gateway}:${site.net.vlan}', '10.0.0.1:007'],
  ['[${site.empty}]', '[]'],
  ['$${site.net.gateway} $${pins.k3s}', '${site.net.gateway} ${pins.k3s}'],
  [
    '${HOME} ${1} ${x:-y} ${site} $site.x ${ site.x } $(x) $$',
    '${HOME} ${1} ${x:-y} ${site} $site.x ${ site.x } $(x) $$',
  ],
  ['$${HOME}', '$${HOME}'],
])('%j becomes %j', (written, expected) => {
  expect(stepOf(JSON.stringify(written)).options).toMatchObject({ run: expected });
});

test('an architecture has its own value of a pin where one is written', () => {
  expect(stepOf('"${pins.k3s.url} ${pins.k3s}"', { arch: 'aarch64' }).options).toMatchObject({
    run: 'https://example.org/arm v1.34.1',
  });
});

test('a use remembers the values it took, and of secrets only the names', () => {
  const text = '{ run: "${pins.k3s} ${site.net.vlan}", env: { A: "${secret.b} ${secret.a}", B: "${secret.a}" } }';
  expect(stepOf(text)).toEqual({
    options: {
      run: 'v1.34.1 007',
      args: [],
      env: { A: '${secret.b} ${secret.a}', B: '${secret.a}' },
    },
    refs: { site: { 'net.vlan': '007' }, pins: { 'k3s.version': 'v1.34.1' }, secrets: ['a', 'b'] },
  });
});

test('where secrets may stand, text that only looks like one is kept apart from them', () => {
  const site = { 'sites/lab.yaml': 'evil: "${secret.root}"\n' };
  const text = `${source}steps: [{ shell: { run: "$\{site.evil}", env: { A: "$\{site.evil} $$\{secret.x}" } } }]\n`;
  const [step] = imageOf(text, site, { site: 'lab' }).steps;
  expect(step?.options).toMatchObject({ run: '${secret.root}', env: { A: '$${secret.root} $${secret.x}' } });
  expect(step?.refs.secrets).toEqual([]);
});

test('keys, kinds and paths of fragments are never replaced', () => {
  const text = `${source}steps: [{ shell: { run: x, env: { "$\{site.net.vlan}": y } } }]\n`;
  expect(imageOf(text, files, { site: 'lab' }).steps[0]?.options).toMatchObject({ env: { '${site.net.vlan}': 'y' } });
  expect(problemsOf({ ...files, 'images/a.yaml': `${source}steps: ["$\{site.net.vlan}"]\n` }, { site: 'lab' })).toEqual(
    ['images/a.yaml:2:9 unknown step "${site.net.vlan}" (known steps: cloud-init, copy, packages, reboot, shell)'],
  );
});

test('whatever a value holds, it is put in as it is and never read again', () => {
  const piece = fc.constantFrom(
    '${site.v}',
    '$${',
    '${pins.p}',
    '${secret.s}',
    '$&',
    "$'",
    '$1',
    "'; rm -rf /",
    '\n- x: y',
    '"',
    '#',
    '!!js',
    '*a',
    '<<',
  );
  const text = fc.array(fc.oneof(piece, fc.string()), { maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (value) => {
      const problems = new Problems();
      const { root } = readDocument('a', '/a', 'a: ["<${site.v}>", "${pins.p}"]').content();
      if (root === undefined) throw new Error('not read');
      const values = { site: new Map([['v', value]]), siteName: 's', pins: new Map([['p', value]]) };
      const { node, complete } = substitute(root, { values, problems });
      expect(plain(node)).toEqual({ a: [`<${value}>`, value] });
      expect([complete, problems.size]).toEqual([true, 0]);
    }),
  );
});
