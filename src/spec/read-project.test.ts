import { expect, test } from 'vitest';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { imageOf, problemsOf, projectOf } from '../../test/support/spec-project.ts';
import { IngotError } from '../core/errors.ts';
import { formats } from '../kinds/formats/index.ts';

const source = 'source: { packages: { suite: trixie } }\n';

test('an image with only a source gets all defaults', () => {
  expect(imageOf(source)).toMatchObject({
    name: 'a',
    arch: 'x86_64',
    file: '/p/images/a.yaml',
    description: '',
    pass: 1,
    labels: {},
    source: { kind: 'packages', options: { distro: 'debian', suite: 'trixie', include: [] } },
    disk: 8 * 1024 ** 3,
    filesystem: 'ext4',
    firmware: ['bios', 'uefi'],
    steps: [],
    checks: [],
    formats: [{ kind: 'qcow2', options: { compression: 'zstd' } }],
    memory: 2 * 1024 ** 3,
    cpus: 2,
    virtualization: 'auto',
  });
});

test('a use of a kind knows where it is written', () => {
  const { steps } = imageOf(`${source}steps:\n  - shell: scripts/a.sh\n`);
  expect(steps[0]?.place).toEqual({ file: '/p/images/a.yaml', line: 3, column: 5, source: '  - shell: scripts/a.sh' });
});

test('a bare word is a kind without options, and so is nothing after the colon', () => {
  const image = imageOf(`${source}checks: [ssh]\nformats:\n  - qcow2:\n  - raw\n`);
  expect(image.checks.map(({ kind, options }) => ({ kind, options }))).toEqual([{ kind: 'ssh', options: {} }]);
  expect(image.formats.map(({ kind }) => kind)).toEqual(['qcow2', 'raw']);
});

test('an option that a step lets stand alone is short for the step with it', () => {
  const { steps } = imageOf(`${source}steps: [{ upgrade: true }]\n`);
  expect(steps).toMatchObject([{ kind: 'packages', options: { install: [], remove: [], upgrade: true } }]);
});

test('fragments lie beneath the image and defaults beneath those: lists append, maps merge, single values override', () => {
  const image = imageOf(
    [
      'extends: [f/base.yaml]',
      'source: { packages: { suite: trixie, include: [less] } }',
      'disk: 10G',
      'labels: { tier: image }',
      'steps: [{ shell: image.sh }]',
      'arch: [x86_64]',
    ].join('\n'),
    {
      'ingot.yaml':
        'defaults:\n  memory: 4G\n  disk: 1G\n  labels: { owner: us, tier: none }\n  steps: [{ shell: defaults.sh }]\n',
      'f/base.yaml':
        'extends: f/deep.yaml\nsource: { packages: { include: [vim] } }\ndisk: 9G\nsteps: [{ shell: base.sh }]\narch: [aarch64]\n',
      'f/deep.yaml': 'source: { packages: { include: [curl], suite: bookworm } }\nsteps: [{ shell: deep.sh }]\n',
    },
  );
  expect(image.source.options).toEqual({ distro: 'debian', suite: 'trixie', include: ['curl', 'vim', 'less'] });
  expect(image.disk).toBe(10 * 1024 ** 3);
  expect(image.memory).toBe(4 * 1024 ** 3);
  expect(image.labels).toEqual({ owner: 'us', tier: 'image' });
  expect(image.steps.map(({ options }) => options)).toMatchObject([
    { file: 'defaults.sh' },
    { file: 'deep.sh' },
    { file: 'base.sh' },
    { file: 'image.sh' },
  ]);
  expect(image.origins).toEqual({
    memory: 'ingot.yaml',
    disk: 'images/a.yaml',
    labels: 'images/a.yaml',
    steps: 'images/a.yaml',
    arch: 'images/a.yaml',
    source: 'images/a.yaml',
  });
});

test('a fragment that is reached on two ways counts once', () => {
  const image = imageOf(`extends: [b.yaml, ./c.yaml]\n${source}`, {
    'b.yaml': 'extends: d.yaml\nsteps: [{ shell: b.sh }]\n',
    'c.yaml': 'extends: [./d.yaml]\nsteps: [{ shell: c.sh }]\n',
    'd.yaml': 'steps: [{ shell: d.sh }]\n',
  });
  expect(image.steps.map(({ options }) => options)).toMatchObject([
    { file: 'd.sh' },
    { file: 'b.sh' },
    { file: 'c.sh' },
  ]);
});

test('an image with another kind of source takes nothing from the source of a fragment', () => {
  const image = imageOf('extends: f.yaml\nsource: { disk-image: { url: u, sha256: s } }\n', {
    'f.yaml': 'source: { packages: { include: [vim] } }\n',
  });
  expect(image.source).toMatchObject({ kind: 'disk-image', options: { url: 'u', sha256: 's' } });
});

test('checks and formats that a fragment already has count once; steps run as often as they are written', () => {
  const twice = 'checks: [ssh]\nformats: [qcow2]\nsteps: [{ shell: echo }]\n';
  const image = imageOf(`extends: f.yaml\n${source}${twice}`, { 'f.yaml': twice });
  expect([image.checks.length, image.formats.length, image.steps.length]).toEqual([1, 1, 2]);
});

test('an image for two architectures becomes two, with only the steps meant for each', () => {
  const text = `${source}arch: [x86_64, aarch64]\nsteps:\n  - shell: both\n  - shell: arm\n    when: { arch: aarch64 }\n  - shell: intel\n    when: { arch: [x86_64] }\n`;
  const { images } = projectOf({ 'images/a.yaml': text }, { arch: 'all' });
  const runs = images.map(({ arch, steps }) => [arch, steps.map(({ options }) => (options as { run: string }).run)]);
  expect(runs).toEqual([
    ['aarch64', ['both', 'arm']],
    ['x86_64', ['both', 'intel']],
  ]);
  expect(images.map(({ firmware }) => firmware)).toEqual([['uefi'], ['bios', 'uefi']]);
});

test.each([
  [undefined, ['both x86_64', 'arm aarch64', 'here x86_64']],
  ['native', ['both x86_64', 'arm aarch64', 'here x86_64']],
  ['all', ['both aarch64', 'both x86_64', 'arm aarch64', 'here x86_64']],
  ['aarch64', ['both aarch64', 'arm aarch64']],
  ['x86_64', ['both x86_64', 'here x86_64']],
] as const)('the choice of architecture %s gives the images that are made for it', (arch, expected) => {
  const files = {
    'images/both.yaml': `${source}arch: [x86_64, aarch64]\npass: 0\n`,
    'images/arm.yaml': `${source}arch: aarch64\n`,
    'images/here.yaml': source,
  };
  const { images } = projectOf(files, arch === undefined ? {} : { arch });
  expect(images.map((image) => `${image.name} ${image.arch}`)).toEqual(expected);
});

test('images are sorted by pass, then name, but never before the image they are made from', () => {
  const files = {
    'images/a.yaml': 'source: { image: z }\n',
    'images/z.yaml': `pass: 3\n${source}`,
    'images/m.yaml': `pass: 2\n${source}`,
    'images/k.yaml': source,
  };
  expect(projectOf(files).images.map(({ name }) => name)).toEqual(['z', 'a', 'k', 'm']);
  expect(projectOf(files, { images: ['a'] }).images.map(({ name }) => name)).toEqual(['z', 'a']);
});

test('when images are named, mistakes elsewhere do no harm', () => {
  const files = { 'images/a.yaml': source, 'images/b.yaml': 'disk: x\n', 'sites/s.yaml': '- 1\n' };
  expect(projectOf(files, { images: ['a'] }).images.map(({ name }) => name)).toEqual(['a']);
  expect(problemsOf(files)).toHaveLength(3);
});

test.each([
  [{ images: ['debain'] }, 'there is no image "debain" in this project', 'did you mean "debian"?'],
  [{ images: ['../x'] }, 'there is no image "../x" in this project', 'images: debian'],
  [{ site: 'dvtn' }, 'there is no site "dvtn" in this project', 'did you mean "dvnt"?'],
  [{ images: ['debian'], arch: 'aarch64' }, 'image "debian" is not made for aarch64', 'it is made for: x86_64'],
  [
    { arch: 'aarch64' },
    'no image of this project is made for aarch64',
    'an image names them in its file: `arch: [x86_64, aarch64]`',
  ],
] as const)('the choice %j is a usage error', (choice, message, hint) => {
  const read = () => projectOf({ 'images/debian.yaml': source, 'sites/dvnt.yaml': '' }, choice);
  expect(read).toThrow(new IngotError({ code: 'USAGE', message, hint }));
});

test('site values and conditions on the site follow the chosen site', () => {
  const text = `${source}description: at \${site.name}\nsteps:\n  - shell: one\n    when: { site: north }\n  - shell: two\n    when: { site: [north, south] }\n`;
  const files = { 'images/a.yaml': text, 'sites/north.yaml': 'name: N\n', 'sites/south.yaml': 'name: S\n' };
  const [south] = projectOf(files, { site: 'south' }).images;
  expect(south).toMatchObject({ site: 'south', description: 'at S', steps: [{ options: { run: 'two' } }] });
});

test('numbers keep the digits a person wrote where text is meant', () => {
  const files = { 'versions.yaml': 'pins: { a: { version: 1.10 }, b: 0x10 }\n' };
  const image = imageOf(`${source}labels: { v: 1.10 }\nsteps: [{ shell: "$\{pins.a} $\{pins.b}" }]\n`, files);
  expect(image.labels).toEqual({ v: '1.10' });
  expect(image.steps[0]?.options).toMatchObject({ run: '1.10 0x10' });
});

test('the project is called as ingot.yaml says, or as its folder', () => {
  expect(projectOf({ 'ingot.yaml': 'name: lab\n' }).name).toBe('lab');
  expect(projectOf({ 'ingot.yaml': '' }).name).toBe('p');
});

test('an image in any words of YAML is the same image', () => {
  const flow =
    '{"source": {"packages": {"suite": "trixie"}}, "steps": [{"shell": {"file": "a.sh", "env": {"B": "2", "A": "1"}}}]}';
  const block = `# comment\nsteps:\n  - shell:\n      env: { A: "1", B: '2' }\n      file: a.sh\n${source}`;
  const strip = (text: string) => {
    const { steps, source: from } = imageOf(text);
    return [from.options, steps.map(({ options }) => options)];
  };
  expect(strip(flow)).toEqual(strip(block));
});

test('a format may be said by what its files end in', () => {
  const kinds = { ...fakeKinds, formats };
  const files = { 'images/a.yaml': `${source}formats: [img.xz, raw.zst, { vhd: {}, when: { arch: aarch64 } }]\n` };
  const [image] = projectOf(files, {}, { kinds }).images;
  expect(image?.formats.map(({ kind, options }) => [kind, options])).toEqual([
    ['img', { compression: 'xz', bmap: true }],
    ['raw', { compression: 'zstd' }],
  ]);
});
