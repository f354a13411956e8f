import { expect, test } from 'vitest';
import type { Engine } from '../../src/cli/engine.ts';
import type { ListedImage, RecordedStep } from '../../src/cli/requests/images.ts';
import type { ImageStory } from '../../src/cli/requests/trace.ts';
import type { DoctorReport } from '../../src/cli/requests/upkeep.ts';
import { IngotError } from '../../src/core/errors.ts';
import type { Plan } from '../../src/core/plan.ts';
import { ingot } from '../support/cli.ts';

const plan: Plan = {
  schemaVersion: 1,
  image: 'debian-13',
  arch: 'x86_64',
  key: undefined,
  formats: ['qcow2'],
  checks: ['boot', 'ssh'],
  expectedSeconds: 31,
  fetchBytes: 120e6,
  stages: [
    {
      bench: 'tree',
      steps: [
        {
          id: 'source',
          title: 'Debian 13',
          kind: 'packages',
          bench: 'tree',
          options: {},
          inputs: {},
          key: 'a',
          state: 'hit',
        },
        {
          id: '1-shell',
          title: 'run scripts/base.sh',
          kind: 'shell',
          bench: 'tree',
          options: {},
          inputs: {},
          key: 'b',
          state: 'miss',
          why: 'scripts/base.sh changed (3f2a -> 91bc)',
          expectedSeconds: 3,
        },
      ],
    },
  ],
};

test('a plan shows each step, what is stored, what runs and why', async () => {
  const ran = await ingot('plan debian-13', { engine: { plan: async () => [plan] } });
  expect(ran.code).toBe(0);
  expect(ran.stdout).toBe(
    [
      'debian-13 x86_64  1 of 2 steps to run, about 31 s, 120 MB to fetch',
      '  ✓     Debian 13            tree  stored',
      '  •  1  run scripts/base.sh  tree  ~3.0 s',
      '       scripts/base.sh changed (3f2a -> 91bc)',
      '    formats: qcow2',
      '    checks: boot, ssh',
      '',
    ].join('\n'),
  );
});

const stored: Plan = {
  ...plan,
  image: 'debian-12',
  stages: [{ bench: 'tree', steps: plan.stages[0]?.steps.slice(0, 1) ?? [] }],
};

test('a plan with nothing to run is one line, and several have a total', async () => {
  const ran = await ingot('plan', { engine: { plan: async () => [stored, plan] } });
  const lines = ran.stdout.split('\n');
  expect(lines[0]).toBe('✓ debian-12 x86_64  all 1 step stored');
  expect(lines.at(-2)).toBe('2 images: 1 of 3 steps to run, about 1 min 02 s, 240 MB to fetch');
});

test('an image that was named is shown with all its steps, so that they can be called by their numbers', async () => {
  const ran = await ingot('plan debian-12', { engine: { plan: async () => [stored] } });
  expect(ran.stdout.split('\n').slice(0, 2)).toEqual([
    '✓ debian-12 x86_64  all 1 step stored',
    '  ✓    Debian 13  tree  stored',
  ]);
});

test('a plan as data is the plan itself', async () => {
  const ran = await ingot('plan --json', { engine: { plan: async () => [plan] } });
  expect(JSON.parse(ran.stdout)).toEqual({ schemaVersion: 1, kind: 'plan', data: [JSON.parse(JSON.stringify(plan))] });
});

const listed: readonly ListedImage[] = [
  {
    image: 'debian-13',
    arch: 'x86_64',
    pass: 1,
    description: 'Debian 13',
    state: 'current',
    built: {
      build: 'b',
      at: '2026-11-21T10:00:00Z',
      key: '0123456789abcdef',
      bytes: 412e6,
      checks: 'passed',
      paths: [],
    },
  },
  { image: 'debian-13', arch: 'aarch64', pass: 1, description: 'Debian 13', state: 'absent' },
];

test('a list shows what is built of each image, how old, how big and proven or not', async () => {
  const ran = await ingot('list', { engine: { list: async () => listed } });
  expect(ran.stdout).toBe(
    [
      'IMAGE      ARCH     STATE      BUILT    SIZE    CHECKS  KEY',
      'debian-13  x86_64   current    2 h ago  412 MB  passed  0123456789ab',
      'debian-13  aarch64  not built',
      '',
    ].join('\n'),
  );
});

test.each(['build', 'plan'])('%s says that there is no image yet', async (verb) => {
  const ran = await ingot(verb, { engine: { build: async () => [], plan: async () => [] } });
  expect([ran.code, ran.stdout]).toEqual([0, '']);
  expect(ran.stderr).toContain('no images yet');
});

test('an empty list is no error: [] as data, a remark for people', async () => {
  const engine: Partial<Engine> = { list: async () => [] };
  const people = await ingot('list', { engine });
  expect([people.code, people.stdout]).toEqual([0, '']);
  expect(people.stderr).toContain('no images yet');
  expect(JSON.parse((await ingot('list --json', { engine })).stdout)).toEqual({
    schemaVersion: 1,
    kind: 'list',
    data: [],
  });
});

const story: ImageStory = {
  image: 'debian-13',
  arch: 'x86_64',
  description: 'Debian 13, cloud ready',
  build: '20261121-1000-ab12',
  at: '2026-11-21T10:00:00Z',
  seconds: 72,
  key: '0123456789abcdef',
  git: { commit: 'abc1234', dirty: true },
  origin: 'made on 2026-11-21 10:00 UTC from debian trixie',
  system: 'Debian 13.3',
  packages: 214,
  steps: [{ title: 'run scripts/base.sh', outcome: 'done', seconds: 2 }],
  artifacts: [{ path: '/srv/d.qcow2', format: 'qcow2', bytes: 412e6, sha256: 'f'.repeat(64) }],
  sidecars: [{ path: '/srv/os-release', bytes: 286, sha256: 'e'.repeat(64) }],
  checks: [{ title: 'boot under uefi', outcome: 'done', seconds: 21, evidence: 'login prompt after 20 s' }],
  tools: { mmdebstrap: '1.3.5' },
};

test('show tells where an image came from', async () => {
  const ran = await ingot('show debian-13@20261121-1000-ab12', {
    engine: {
      show: async (request) => {
        expect(request).toEqual({ image: 'debian-13', build: '20261121-1000-ab12', arch: 'native' });
        return story;
      },
    },
  });
  for (const words of [
    'debian-13 x86_64  Debian 13, cloud ready',
    'build   20261121-1000-ab12, 2 h ago, took 1 min 12 s',
    'inside  Debian 13.3, 214 packages',
    'origin  made on 2026-11-21 10:00 UTC from debian trixie',
    'commit  abc1234 with uncommitted changes',
    '/srv/d.qcow2     412 MB  sha256 ffffffffffffffff',
    '/srv/os-release  286 B   sha256 eeeeeeeeeeeeeeee',
    '✓  boot under uefi  21 s  login prompt after 20 s',
    'mmdebstrap 1.3.5',
  ]) {
    expect(ran.stdout).toContain(words);
  }
});

const side = { image: 'debian-13', arch: 'x86_64', build: 'b1', at: '2026-11-21T10:00:00Z' } as const;

test('diff shows what is new, gone and changed, and cuts long lists', async () => {
  const files = Array.from({ length: 50 }, (_, index) => ({ name: `/usr/f${index}`, to: '1' }));
  const engine: Partial<Engine> = {
    diff: async (request) => {
      expect(request).toEqual({ from: { image: 'debian-13', arch: 'native' } });
      return {
        from: side,
        to: { ...side, build: 'b2', at: '2026-11-21T11:59:30Z' },
        same: false,
        inputs: [],
        packages: [
          { name: 'vim', to: '9.1' },
          { name: 'nano', from: '8.4' },
          { name: 'curl', from: '8.14', to: '8.15' },
        ],
        files,
        sizes: [{ name: 'debian-13.qcow2', from: '400000000', to: '412000000' }],
      };
    },
  };
  const ran = await ingot('diff debian-13', { engine });
  for (const words of [
    '- debian-13 x86_64  build b1, 2 h ago',
    '+ debian-13 x86_64  build b2, just now',
    'Packages (3 changes)\n  +  vim   9.1\n  -  nano  8.4\n  ~  curl  8.14 -> 8.15',
    'and 10 more: --all shows them',
    'no input changed, and still not the same bytes came out',
    '400 MB -> 412 MB (+ 12 MB)',
  ]) {
    expect(ran.stdout).toContain(words);
  }
  expect((await ingot('diff debian-13 --all', { engine })).stdout).toContain('/usr/f49');
});

test('diff says so when two builds have the same bytes', async () => {
  const nothing = { inputs: [], packages: [], files: [], sizes: [] };
  const ran = await ingot('diff a b', {
    engine: { diff: async () => ({ from: side, to: side, same: true, ...nothing }) },
  });
  expect(ran.stdout.trimEnd().split('\n').at(-1)).toBe('the same bytes');
});

test('show --spdx prints the document as it is', async () => {
  const ran = await ingot('show d --spdx', { engine: { spdx: async () => '{\n  "spdxVersion": "SPDX-2.3"\n}\n' } });
  expect(ran.stdout).toBe('{\n  "spdxVersion": "SPDX-2.3"\n}\n');
});

test('diff --markdown is a changelog', async () => {
  const nothing = { inputs: [], packages: [{ name: 'vim', to: '9.1' }], files: [], sizes: [] };
  const ran = await ingot('diff a@2026-11-14 a --markdown', {
    engine: {
      diff: async ({ from }) => {
        expect(from.build).toBe('2026-11-14');
        return { from: side, to: { ...side, build: 'b2' }, same: false, ...nothing };
      },
    },
  });
  expect(ran.stdout).toContain('### Packages\n\n- vim 9.1 (new)\n');
});

test('verify says of each file what it is and who signed it', async () => {
  const file = { path: '/srv/d.qcow2', image: 'd', arch: 'x86_64', build: 'b1', key: 'a' };
  const ran = await ingot('verify d --key theirs.pub', {
    engine: {
      verify: async (request) => {
        expect(request).toEqual({ target: 'd', arch: 'native', allowUnsigned: false, key: 'theirs.pub' });
        return {
          files: [
            { ...file, signedBy: 'ABCD' },
            { ...file, path: '/srv/d.raw' },
          ],
        };
      },
    },
  });
  expect(ran.stdout).toBe(
    '✓  /srv/d.qcow2  d x86_64, build b1  signed by key ABCD\n✓  /srv/d.raw    d x86_64, build b1  not signed by a trusted key\n',
  );
});

test('a new key prints its public half alone', async () => {
  const made = {
    id: 'ABCD',
    locked: false,
    privateFile: '/h/keys/ingot.key',
    publicFile: '/h/p.pub',
    publicKey: 'RWQ',
  };
  const ran = await ingot('keys new', { engine: { newKey: async () => made } });
  expect([ran.code, ran.stdout]).toEqual([0, 'RWQ\n']);
  expect(ran.stderr).toContain('key ABCD: /h/keys/ingot.key');
  expect((await ingot('keys old')).code).toBe(2);
});

const report: DoctorReport = {
  tools: [
    {
      program: 'qemu-img',
      debian: 'qemu-utils',
      why: 'writes disk images',
      path: '/usr/bin/qemu-img',
      version: '7.2',
      images: ['debian-13'],
    },
    { program: 'mmdebstrap', debian: 'mmdebstrap', why: 'builds Debian trees', images: ['debian-13'] },
    { program: 'ansible', debian: 'ansible-core', why: 'checks with Ansible', images: [] },
  ],
  facts: [
    { name: 'user namespaces', state: 'ok', found: 'allowed', images: ['debian-13'] },
    { name: 'kvm', state: 'slow', found: 'no /dev/kvm: guests are emulated', images: [] },
    {
      name: 'subuid range',
      state: 'missing',
      found: 'none for me',
      fix: 'sudo usermod --add-subuids 100000-165535 me',
      images: ['debian-12'],
    },
  ],
};

test('doctor shows tools and abilities, and the exact commands that mend what is missing', async () => {
  const ran = await ingot('doctor', { engine: { doctor: async () => report } });
  expect(ran.code).toBe(0);
  expect(ran.stdout).toBe(
    [
      'Tools',
      '  ✓  qemu-img    7.2      writes disk images',
      '  ✗  mmdebstrap  missing  builds Debian trees (debian-13)',
      '  -  ansible     absent   checks with Ansible',
      '',
      'This machine',
      '  ✓  user namespaces  allowed',
      '  !  kvm              no /dev/kvm: guests are emulated',
      '  ✗  subuid range     none for me',
      '',
      'To mend',
      '  sudo apt-get install mmdebstrap',
      '  sudo usermod --add-subuids 100000-165535 me',
      '',
    ].join('\n'),
  );
});

test('doctor of an image has exit code 5 only when that image lacks something', async () => {
  const engine: Partial<Engine> = { doctor: async () => report };
  expect((await ingot('doctor debian-13', { engine })).code).toBe(5);
  expect((await ingot('doctor debian-12', { engine })).code).toBe(5);
  expect((await ingot('doctor other', { engine })).code).toBe(0);
});

test('gc passes its limits on and says what it freed, or would', async () => {
  const removed = [{ what: 'layer', name: 'abcd', bytes: 2e9, unusedSeconds: 5_184_000, why: 'not used for so long' }];
  const engine: Partial<Engine> = {
    gc: async (request) => {
      expect(request).toMatchObject({ olderThanSeconds: 2_592_000, keepBytes: 21_474_836_480 });
      const builds = [
        { what: 'finished build', name: 'web@b1 x86_64', bytes: 1e9, unusedSeconds: 60, why: 'deployed on pve' },
      ];
      return { removed, builds, freedBytes: 2e9, keptBytes: 5e9 };
    },
  };
  const dry = await ingot('gc --dry-run --older-than 30d --keep-size 20G', { engine });
  expect(dry.stdout).toBe(
    [
      'layer  abcd  2.0 GB  used 60 days ago  not used for so long',
      '',
      'web@b1 x86_64  1.0 GB  stays: deployed on pve',
      '',
      'would remove 1 entry, 2.0 GB; 5.0 GB stay\n',
    ].join('\n'),
  );
  const real = await ingot('gc --older-than 30d --keep-size 20G', { engine });
  expect(real.stdout).toContain('\nremoved 1 entry, 2.0 GB; 5.0 GB stay\n');
  expect(real.stdout).not.toContain('web@b1');
});

test('gc shows many of one kind together, and says why more stays than was asked', async () => {
  const removed = Array.from({ length: 20 }, (_, day) => {
    return { what: 'package', name: `${day}`, bytes: 1e6, unusedSeconds: (day + 2) * 86_400, why: 'for want of room' };
  });
  const gc: Engine['gc'] = async () => ({ removed, builds: [], freedBytes: 2e7, keptBytes: 5e9 });
  const ran = await ingot('gc --keep-size 1G', { engine: { gc } });
  expect(ran.stdout).toBe(
    'package  20 of them  20 MB  used 21 days ago to 2 days ago  for want of room\nremoved 20 entries, 20 MB; 5.0 GB stay\n',
  );
  expect(ran.stderr).toContain('the rest stays');
});

test('check shows what was proven and fails with 6', async () => {
  const error = { code: 'CHECK_FAILED', message: 'kernel panic', hint: 'see the console log' } as const;
  const ran = await ingot('check debian-13', {
    engine: {
      check: async (request) => {
        expect(request).toEqual({ images: ['debian-13'], arch: 'native', force: false });
        const common = { image: 'debian-13', arch: 'x86_64', path: '/x', sha256: 'f', seconds: 40 } as const;
        const checks = [
          { title: 'boot under bios', outcome: 'done', seconds: 20, evidence: 'login prompt' },
          { title: 'boot under uefi', outcome: 'failed', seconds: 20, error },
        ] as const;
        return [{ ...common, outcome: 'failed', checks, error }];
      },
    },
  });
  expect(ran.code).toBe(6);
  expect(ran.stdout).toContain('  ✓  boot under bios  20 s               login prompt\n');
  expect(ran.stdout).toContain('  ✗  boot under uefi  failed after 20 s  kernel panic\n');
  expect(ran.stderr).toContain('error[CHECK_FAILED]: kernel panic\nnext: see the console log\n');
});

test('new writes a project with an image of its name and says how to go on', async () => {
  const engine: Partial<Engine> = {
    schema: async () => ({ type: 'object' }),
    create: async ({ folder, files }) => {
      expect(folder).toBe('../lab/');
      expect(Object.keys(files).sort()).toEqual(
        [
          '.gitignore',
          'README.md',
          'image.schema.json',
          'images/lab.yaml',
          'ingot.yaml',
          'scripts/base.sh',
          'versions.yaml',
        ].sort(),
      );
      return '/home/me/lab';
    },
  };
  const ran = await ingot('new ../lab/', { engine });
  expect([ran.code, ran.stdout]).toEqual([0, '/home/me/lab\n']);
  expect(ran.stderr).toBe('next: cd ../lab/ && ingot build\n');
});

test('new says how to go on in words that a shell takes, wherever the folder lies', async () => {
  const engine: Partial<Engine> = { schema: async () => ({}), create: async ({ folder }) => folder };
  const ran = await ingot(['new', "/tmp/it's mine/lab"], { engine });
  expect(ran.stderr).toBe("next: cd '/tmp/it'\\''s mine/lab' && ingot build\n");
});

test('new refuses a name that is no name, before anything is written', async () => {
  const ran = await ingot(['new', 'My Lab']);
  expect([ran.code, ran.places]).toEqual([2, []]);
  expect(ran.stderr).toContain("'My Lab' is invalid");
});

test('shell hands the terminal over', async () => {
  const ran = await ingot('shell debian-13', {
    engine: { shell: (_request, io) => io.withTerminal(async () => undefined) },
  });
  expect([ran.code, ran.stdout]).toEqual([0, '']);
});

test('schema prints the schema alone', async () => {
  const ran = await ingot('schema', { engine: { schema: async () => ({ type: 'object' }) } });
  expect(JSON.parse(ran.stdout)).toEqual({ type: 'object' });
});

test('an expected failure shows no stack', async () => {
  const engine: Partial<Engine> = {
    show: () =>
      Promise.reject(
        new IngotError({ code: 'NOT_FOUND', message: 'debian-14 is not built', hint: 'ingot build debian-14' }),
      ),
  };
  const ran = await ingot('show debian-14', { engine });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toBe('error[NOT_FOUND]: debian-14 is not built\nnext: ingot build debian-14\n');
});

const recorded: RecordedStep = {
  commands: ['cat > /etc/a <<END\nx\nEND', 'apt install jq'],
  failed: [{ command: 'fasle', exitCode: 127 }],
  doubts: ['"apt install jq" may ask a question'],
  script: '/home/me/lab/scripts/web-step-3.sh',
  step: '- shell: scripts/web-step-3.sh',
  place: { file: '/home/me/lab/images/web.yaml', line: 9 },
};

test('a shell before a step that records says what it kept, what not, and where the new step is', async () => {
  const requests: unknown[] = [];
  const engine: Partial<Engine> = {
    shell: async (request) => {
      requests.push(request);
      return recorded;
    },
  };
  const ran = await ingot('shell --step 3 --record web', { engine });
  expect(requests).toEqual([{ image: 'web', arch: 'native', step: '3', record: {} }]);
  expect([ran.code, ran.stdout]).toEqual([0, '/home/me/lab/scripts/web-step-3.sh\n']);
  expect(ran.stderr.split('\n')).toEqual([
    'recorded 2 commands:',
    '    cat > /etc/a <<END',
    '    x',
    '    END',
    '    apt install jq',
    'left out, exit code 127: fasle',
    'look at this: "apt install jq" may ask a question',
    'added to /home/me/lab/images/web.yaml, line 9: - shell: scripts/web-step-3.sh',
    'next: ingot build web',
    '',
  ]);
  const json = await ingot('shell web --step 3-shell --record --script fix.sh --json', { engine });
  expect(requests.at(-1)).toMatchObject({ step: '3-shell', record: { script: 'fix' } });
  expect(JSON.parse(json.stdout)).toEqual({ schemaVersion: 1, kind: 'shell', data: recorded });
});

test('a recording that has no place in the image says why, and one of nothing writes nothing', async () => {
  const { place: _, ...homeless } = recorded;
  const shell = async () => ({ ...homeless, why: 'its steps are not written one a line' });
  const ran = await ingot('shell --step 3 --record web', { engine: { shell } });
  expect(ran.stderr).toContain('since its steps are not written one a line; put it before step 3 by hand: - shell: ');
  const nothing = await ingot('shell --step 3 --record web', {
    engine: { shell: async () => ({ commands: [], failed: [], doubts: [] }) },
  });
  expect([nothing.stdout, nothing.stderr]).toEqual(['', 'nothing was entered that a step could repeat\n']);
});

test.each([
  ['shell web --record', '--record needs --step'],
  ['shell web --step 2 --script a', '--script names what --record writes'],
  ['shell web@b1 --step 2', 'a finished build has no steps to go back to'],
  ['shell web --step 2 --record --script ../a', 'Expected a name'],
])('%s is refused before anything is opened', async (line, message) => {
  const ran = await ingot(line);
  expect([ran.code, ran.places]).toEqual([2, []]);
  expect(ran.stderr).toContain(message);
});

test('convert asks the engine with paths as they were written, and prints the path of what was written', async () => {
  const asked: unknown[] = [];
  const engine: Partial<Engine> = {
    convert: async (request) => {
      asked.push(request);
      return { path: '/out/a.img.xz', format: 'img', bytes: 2048, seconds: 1, beside: ['/out/a.bmap'] };
    },
  };
  const line = 'convert a.qcow2 --to img --output ../a.img.xz --option compression=xz --option bmap=true --arch arm64';
  const ran = await ingot(line, { engine });
  expect(ran).toMatchObject({ code: 0, stdout: '/out/a.img.xz\n/out/a.bmap\n', stderr: 'img, 2.0 kB\n' });
  expect(asked).toEqual([
    {
      ...{ file: 'a.qcow2', to: 'img', output: '../a.img.xz', arch: 'aarch64', force: false },
      options: { compression: 'xz', bmap: 'true' },
    },
  ]);
});

test.each([
  ['convert a.qcow2 --to vdi', "required option '--output <path>' not specified"],
  ['convert a.qcow2 --output b', "required option '--to <format>' not specified"],
  ['convert a.qcow2 --to vdi --output b --option x', 'Expected KEY=VALUE'],
])('%s is a mistake', async (line, words) => {
  const ran = await ingot(line);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain(words);
});
