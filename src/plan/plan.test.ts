import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import {
  common,
  keysOf,
  layout,
  lockOf,
  nothing,
  planned,
  planText,
  planVersions,
  reasons,
  stepsOf,
  storeOf,
} from '../../test/support/plans.ts';
import { imageOf, projectOf } from '../../test/support/spec-project.ts';
import type { ImageSpec } from '../core/spec.ts';
import { filesToDigest } from './inputs.ts';
import { planAll, planImage } from './plan.ts';

test('an image that was never built is all misses, in one stage of its bench', () => {
  const plan = planImage(planned, lockOf(planned), nothing, fakeKinds, layout);
  expect(plan).toMatchObject({ schemaVersion: 1, image: 'a', arch: 'x86_64', formats: ['qcow2'], checks: [] });
  expect(plan.stages.map(({ bench }) => bench)).toEqual(['tree']);
  expect(stepsOf(plan).map(({ id, title, state, why }) => [id, title, state, why])).toEqual([
    ['source', 'bootstrap trixie', 'miss', 'never built'],
    ['1-packages', 'install vim htop', 'miss', 'never built'],
    ['2-shell', 'run scripts/base.sh', 'miss', 'never built'],
    ['3-shell', 'run a script', 'miss', 'never built'],
    ['4-copy', 'write /etc/motd', 'miss', 'never built'],
  ]);
  expect(plan.expectedSeconds).toBeUndefined();
  expect(plan.key).toMatch(/^[0-9a-f]{64}$/);
});

test('an image leaves the tree at the first step that needs a guest, by way of a disk', () => {
  const text =
    'source: { packages: { suite: trixie } }\narch: x86_64\nsteps: [packages: [vim], reboot, packages: [htop]]\n';
  const spec = imageOf(text);
  const plan = planImage(spec, lockOf(spec), nothing, fakeKinds, layout);
  expect(plan.stages.map(({ bench, steps }) => [bench, ...steps.map(({ id }) => id)])).toEqual([
    ['tree', 'source', '1-packages'],
    ['guest', 'disk', '2-reboot', '3-packages'],
  ]);
  const larger = { ...spec, disk: spec.disk * 2 };
  const again = stepsOf(planImage(larger, lockOf(larger), storeOf(plan).stored, fakeKinds, layout));
  expect(again.map(({ state }) => state)).toEqual(['hit', 'hit', 'miss', 'miss', 'miss']);
});

test('a plan is plain JSON', () => {
  const plan = planImage(planned, lockOf(planned), nothing, fakeKinds, layout);
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
});

test('built once, everything is a hit and nothing is fetched', () => {
  const built = planImage(planned, lockOf(planned), nothing, fakeKinds, layout);
  const plan = planImage(planned, lockOf(planned), storeOf(built).stored, fakeKinds, layout);
  expect(stepsOf(plan).map(({ state }) => state)).toEqual(['hit', 'hit', 'hit', 'hit', 'hit']);
  expect(stepsOf(plan).some((step) => 'why' in step || 'expectedSeconds' in step)).toBe(false);
  expect(plan).toMatchObject({ fetchBytes: 0, expectedSeconds: 0, key: built.key });
});

test('the inputs of a step are told by name', () => {
  const [, , shell, inline] = stepsOf(planImage(planned, lockOf(planned), nothing, fakeKinds, layout));
  expect(shell?.inputs).toEqual({
    'kind version': '1',
    'options.file': 'scripts/base.sh',
    'file scripts/base.sh': 'scripts/base.sh-1',
  });
  expect(inline?.inputs).toEqual({
    'kind version': '1',
    'options.run': 'echo v1',
    'options.env.T': '${secret.token}',
    'pin k3s.version': 'v1',
    'secret token': 'used',
  });
});

test.each<[string, string, number]>([
  [
    'the order of keys',
    'disk: 8G\nsteps:\n  - packages: [vim, htop]\n  - shell: scripts/base.sh\n  - shell: { env: { T: "${secret.token}" }, run: "echo ${pins.k3s}" }\n  - copy: { to: /etc/motd, path: motd, from: file }\nsource: { packages: { include: [less], suite: trixie } }\n',
    6,
  ],
  ['comments', `# a comment\n${planText}`, 6],
  [
    'written-out defaults',
    planText
      .replace('{ suite', '{ distro: debian, suite')
      .replace('[vim, htop]', '{ install: [vim, htop], remove: [] }'),
    6,
  ],
  [
    'memory, cpus, labels, pass, checks and words',
    `${planText}memory: 4G\ncpus: 8\nlabels: { a: b }\ndescription: x\npass: 9\nchecks: [ssh]\nvirtualization: required\n`,
    6,
  ],
  ['the order of firmwares and formats', `${planText}firmware: [uefi, bios]\nformats: [qcow2]\n`, 6],
  ['another disk size', planText.replace('8G', '9G'), 5],
  ['another format', `${planText}formats: [raw]\n`, 5],
  ['another firmware', `${planText}firmware: uefi\n`, 5],
  ['another file system', `${planText}filesystem: xfs\n`, 5],
  ['the last step', planText.replace('/etc/motd', '/etc/issue'), 4],
  ['a secret of another name', planText.replace('secret.token', 'secret.other'), 3],
  ['the first step', planText.replace('vim, htop', 'vim'), 1],
  ['the order of packages', planText.replace('vim, htop', 'htop, vim'), 1],
  ['the source', planText.replace('trixie', 'bookworm'), 0],
])('%s: of 6 keys the first ones stay', (_, changed, same) => {
  const now = imageOf(changed, planVersions);
  expect(common(keysOf(planned), keysOf(now))).toBe(same);
  expect(
    keysOf(now)
      .slice(same)
      .some((key) => keysOf(planned).includes(key)),
  ).toBe(false);
});

test('a pin of the source, the seal and the disk layout are part of the keys', () => {
  expect(common(keysOf(planned), keysOf(planned, lockOf(planned, {}, { release: 'r2' })))).toBe(0);
  const key = (versionsOf: typeof layout) => planImage(planned, lockOf(planned), nothing, fakeKinds, versionsOf).key;
  expect(new Set([key(layout), key({ seal: 2, disk: 1 }), key({ seal: 1, disk: 2 })]).size).toBe(3);
});

test('architectures share no key', () => {
  const [arm, intel] = projectOf(
    { 'images/a.yaml': `arch: [x86_64, aarch64]\n${planText}`, ...planVersions },
    { arch: 'all' },
  ).images;
  if (arm === undefined || intel === undefined) throw new Error('not two');
  expect(keysOf(arm).filter((key) => keysOf(intel).includes(key))).toEqual([]);
});

test('what is not known yet leaves it and all after it without a key', () => {
  const { 'scripts/base.sh': _, ...files } = lockOf(planned).files;
  const lock = { ...lockOf(planned), files };
  expect(keysOf(planned, lock).map((key) => key !== undefined)).toEqual([true, true, false, false, false, false]);
  expect(reasons(planned, planned, { lock })).toEqual([
    'source: hit',
    '1-packages: hit',
    '2-shell: scripts/base.sh not looked up yet',
    '3-shell: follows a step whose inputs are not known yet',
    '4-copy: follows a step whose inputs are not known yet',
  ]);
  const [first] = reasons(planned, planned, { lock: { ...lockOf(planned), sources: {} } });
  expect(first).toBe('source: newest versions not looked up yet');
});

test('a source that asks nobody needs no pin', () => {
  const guest = imageOf('source: { disk-image: { url: u, sha256: s } }\nsteps: [reboot]\n');
  const plan = planImage(guest, { files: {}, sources: {} }, nothing, fakeKinds, layout);
  expect(plan.key).toBeDefined();
  expect(plan.stages.map(({ bench }) => bench)).toEqual(['guest']);
});

const isos = {
  'isos.yaml': `a: { distribution: debian, arch: x86_64, url: "https://a/b.iso", checksum: "sha256:${'0'.repeat(64)}" }\n`,
};
const installed = (options: string, more = '') =>
  planImage(
    imageOf(`source: { installer: { iso: a${options} } }\n${more}`, isos),
    { files: {}, sources: {} },
    nothing,
    fakeKinds,
    layout,
  );

test('of an installed disk its firmware is part of the key, and what changes no byte is not', () => {
  const [key, ...others] = [
    installed(''),
    installed(', limit: 2h'),
    installed('', 'firmware: [uefi, bios]\n'),
    installed('', 'firmware: uefi\n'),
    installed(', password: "${secret.a}"'),
    installed(', password: "${secret.b}"'),
  ].map((plan) => stepsOf(plan)[0]?.key);
  expect(key).toBeDefined();
  expect(others.slice(0, 2)).toEqual([key, key]);
  expect(new Set([key, ...others]).size).toBe(4);
});

test('the inputs of an installed disk are told by name', () => {
  const [source] = stepsOf(installed(', password: "${secret.a}", limit: 2h', 'firmware: uefi\n'));
  expect(source?.inputs).toMatchObject({ firmware: 'uefi', 'secret a': 'used', 'options.password': '${secret.a}' });
  expect(source?.inputs).not.toHaveProperty('options.limit');
});

test('a layer that was collected is told apart from a change', () => {
  const built = planImage(planned, lockOf(planned), nothing, fakeKinds, layout);
  const { stored, keys } = storeOf(built, 7);
  keys.delete(stepsOf(built)[2]?.key ?? '');
  const plan = planImage(planned, lockOf(planned), stored, fakeKinds, layout);
  expect(stepsOf(plan).map(({ state, why, expectedSeconds }) => [state, why, expectedSeconds])).toEqual([
    ['hit', undefined, undefined],
    ['hit', undefined, undefined],
    ['miss', 'layer is no longer in the store', 7],
    ['miss', 'follows a step that runs again', 7],
    ['miss', 'follows a step that runs again', 7],
  ]);
  expect(plan.expectedSeconds).toBe(21);
});

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const stepText = fc.oneof(
  fc
    .array(word, { minLength: 1, maxLength: 4 })
    .map((names) => `{ packages: [${names.map((name) => `"${name}"`).join(', ')}] }`),
  word.map((name) => `{ shell: "scripts/${name}.sh" }`),
  word.map((name) => `{ copy: { from: text, content: "${name}", to: "/${name}" } }`),
);
const steps = fc.array(stepText, { minLength: 1, maxLength: 6 });

function generated(list: readonly string[], rest = ''): ImageSpec {
  return imageOf(
    `${rest}source: { packages: { suite: trixie } }\nsteps:\n${list.map((step) => `  - ${step}\n`).join('')}`,
  );
}

test('for any image, what cannot change the bytes changes no key', () => {
  const settings = fc.record({
    memory: fc.integer({ min: 1, max: 64 }),
    cpus: fc.integer({ min: 1, max: 64 }),
    label: word,
    note: word,
  });
  fc.assert(
    fc.property(steps, settings, (list, { memory, cpus, label, note }) => {
      const plain = generated(list);
      const other = generated(
        list,
        `# ${note}\nmemory: ${memory}G\ncpus: ${cpus}\nlabels: { ${label}: ${note} }\ndisk: 8G\ndescription: ${note}\n`,
      );
      expect(keysOf(other)).toEqual(keysOf(plain));
    }),
    { numRuns: 50 },
  );
});

test('for any image, a changed byte in a file changes its first step and all later ones, and none before', () => {
  fc.assert(
    fc.property(steps, fc.nat(), (list, pick) => {
      const spec = generated(list);
      const files = filesToDigest(spec, fakeKinds);
      fc.pre(files.length > 0);
      const path = files[pick % files.length] ?? '';
      const user = spec.steps.findIndex((use) => filesToDigest({ ...spec, steps: [use] }, fakeKinds).includes(path));
      const [before, after] = [keysOf(spec), keysOf(spec, lockOf(spec, { [path]: 'changed' }))];
      expect(common(before, after)).toBe(user + 1);
      expect(after.slice(user + 1).filter((key) => before.includes(key))).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test('200 images are read and planned in well under a second', () => {
  const files: Record<string, string> = {
    ...planVersions,
    'f.yaml': 'source: { packages: { include: [vim] } }\nsteps: [{ packages: [htop] }, { shell: a.sh }]\n',
  };
  for (let i = 0; i < 200; i++) {
    const own = Array.from(
      { length: 8 },
      (_, j) => `  - shell: { file: s${j}.sh, args: ["\${pins.k3s}"], env: { I: "${i}" } }\n`,
    );
    files[`images/image-${i}.yaml`] =
      `extends: [f.yaml]\nsource: { packages: { suite: trixie } }\nsteps:\n${own.join('')}checks: [ssh]\n`;
  }
  // Processor time, not the clock: other programs may run beside this test.
  const before = process.cpuUsage();
  const { images } = projectOf(files);
  const lock = {
    files: Object.fromEntries(images.flatMap((one) => filesToDigest(one, fakeKinds)).map((path) => [path, path])),
    sources: {},
  };
  const plans = planAll(images, { lock, stored: nothing, kinds: fakeKinds, layout });
  const { user, system } = process.cpuUsage(before);
  expect(plans).toHaveLength(200);
  expect((user + system) / 1e6).toBeLessThan(1);
});
