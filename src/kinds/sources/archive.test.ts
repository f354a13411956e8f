import { expect, test } from 'vitest';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import { type Archive, type ArchiveOptions, indexDate, mirrorsFrom, pinArchive, sourcesText } from './archive.ts';

const debian = 'PRETTY_NAME="Debian"\nID=debian\nVERSION_CODENAME=bookworm\n';
const ubuntu = 'ID=ubuntu\nVERSION_CODENAME="noble"\nID_LIKE=debian\n';
const targets = `http://a.example/debian bookworm main
http://a.example/debian bookworm contrib
http://b.example/debian bookworm-updates main
https://c.example/security bookworm-security main
http://other.example/tool stable main
`;

test.each<[string, string, string, ArchiveOptions, Archive['sources']]>([
  [
    'another suite of the same distribution, each pocket from its own mirror',
    targets,
    debian,
    { distro: 'debian', suite: 'trixie' },
    [
      { uri: 'http://a.example/debian', suite: 'trixie' },
      { uri: 'http://b.example/debian', suite: 'trixie-updates' },
      { uri: 'https://c.example/security', suite: 'trixie-security' },
    ],
  ],
  [
    'a rolling suite, which has no pockets',
    targets,
    debian,
    { distro: 'debian', suite: 'sid' },
    [{ uri: 'http://a.example/debian', suite: 'sid' }],
  ],
  [
    'no pocket that this machine has not',
    'http://a.example/debian bookworm main\n',
    debian,
    { distro: 'debian', suite: 'bookworm' },
    [{ uri: 'http://a.example/debian', suite: 'bookworm' }],
  ],
  [
    'Ubuntu on Ubuntu',
    'http://u.example/ubuntu noble main\nhttp://u.example/ubuntu noble-security main\n',
    ubuntu,
    { distro: 'ubuntu', suite: 'jammy' },
    [
      { uri: 'http://u.example/ubuntu', suite: 'jammy' },
      { uri: 'http://u.example/ubuntu', suite: 'jammy-security' },
    ],
  ],
  [
    'the network and not the installation disc',
    'cdrom://Debian_12/ bookworm main\nhttp://a.example/debian bookworm main\n',
    debian,
    { distro: 'debian', suite: 'trixie' },
    [{ uri: 'http://a.example/debian', suite: 'trixie' }],
  ],
  [
    'the mirror of a machine that names its suite by an alias, and not what others call so too',
    `http://tool.example/apt stable main Tool Makers
http://a.example/debian stable main Debian
http://a.example/debian stable-proposed-updates main Debian
http://b.example/debian stable-updates main Debian
http://c.example/security stable-security main Debian
`,
    debian,
    { distro: 'debian', suite: 'trixie' },
    [
      { uri: 'http://a.example/debian', suite: 'trixie' },
      { uri: 'http://b.example/debian', suite: 'trixie-updates' },
      { uri: 'http://c.example/security', suite: 'trixie-security' },
    ],
  ],
  [
    'nothing of others who name their suites as the distribution does',
    'http://tool.example/apt bookworm main Tool Makers\nhttp://a.example/debian bookworm main Debian\n',
    debian,
    { distro: 'debian', suite: 'trixie' },
    [{ uri: 'http://a.example/debian', suite: 'trixie' }],
  ],
  [
    'its own suite where apt has fetched nothing and knows no origins, and no alias then',
    'http://tool.example/apt stable main $(ORIGIN)\nhttp://a.example/debian bookworm main $(ORIGIN)\n',
    debian,
    { distro: 'debian', suite: 'trixie' },
    [{ uri: 'http://a.example/debian', suite: 'trixie' }],
  ],
  ['nothing for another distribution', targets, debian, { distro: 'ubuntu', suite: 'noble' }, []],
  ['nothing on a machine that is neither', targets, 'ID=fedora\n', { distro: 'debian', suite: 'trixie' }, []],
  [
    'nothing where apt knows no main archive',
    'http://x bookworm contrib\n',
    debian,
    { distro: 'debian', suite: 'trixie' },
    [],
  ],
  ['nothing from nothing', '', '', { distro: 'debian', suite: 'trixie' }, []],
])('from this machine is taken %s', (_, lines, osRelease, options, expected) => {
  expect(mirrorsFrom(lines, osRelease, options)).toEqual(expected);
});

test.each([
  ['Origin: Debian\nDate: Sat, 15 Nov 2025 09:12:34 UTC\nValid-Until: x\n', Date.UTC(2025, 10, 15, 9, 12, 34) / 1000],
  ['Date: yesterday\n', 0],
  ['Origin: Debian\n', 0],
  ['', 0],
])('the date of the index %j is %d', (text, seconds) => {
  expect(indexDate(text)).toBe(seconds);
});

test('the image is told its sources in the deb822 form, one stanza each', () => {
  const archive: Archive = {
    sources: [
      { uri: 'http://a.example', suite: 'trixie' },
      { uri: 'http://b.example', suite: 'trixie-security' },
    ],
    releases: {},
    epoch: 0,
  };
  expect(sourcesText(archive, ['main', 'contrib'], '/k.gpg')).toBe(`Types: deb
URIs: http://a.example
Suites: trixie
Components: main contrib
Signed-By: /k.gpg

Types: deb
URIs: http://b.example
Suites: trixie-security
Components: main contrib
Signed-By: /k.gpg
`);
});

type Ran = readonly string[];

function machine(indexes: Readonly<Record<string, string>>, apt = true): { ctx: Context; ran: Ran[] } {
  const ran: Ran[] = [];
  const written = new Map<string, string>();
  const host = {
    env: {},
    which: async () => (apt ? '/usr/bin/apt-get' : undefined),
    run: async ({ argv }: { argv: Ran }) => {
      ran.push(argv);
      if (argv[0] === 'apt-get') return { exitCode: 0, stdout: targets, stderr: '' };
      const [uri = '', file = ''] = argv.slice(-2);
      const text = indexes[uri];
      if (text === undefined)
        throw new IngotError({ code: 'TOOL_FAILED', message: 'x', detail: ['0% [Working]', 'Err:1 404  Not Found'] });
      written.set(file, text);
      return { exitCode: 0, stdout: '', stderr: '' };
    },
    withTemporary: (action: (folder: string) => Promise<unknown>) => action('/tmp/own'),
    files: {
      readText: async (path: string) => (path === '/etc/os-release' ? debian : written.get(path)),
      sha256: async (path: string) => `digest of ${written.get(path)}`,
    },
  } as unknown as Host;
  return { ctx: { host, emit: () => undefined, signal: new AbortController().signal, step: 's' }, ran };
}

const stamp = 'Date: Sat, 15 Nov 2025 09:12:34 UTC';

test('a source is pinned to the digest of each index and dated by the newest', async () => {
  const { ctx } = machine({
    'http://m.example/debian/dists/trixie/InRelease': 'Date: Sat, 01 Nov 2025 00:00:00 UTC',
    'http://s.example/dists/trixie-security/InRelease': stamp,
  });
  const options = {
    distro: 'debian',
    suite: 'trixie',
    mirror: 'http://m.example/debian/',
    security: 'http://s.example',
  } as const;
  expect(await pinArchive(options, 'x86_64', ctx)).toEqual({
    sources: [
      { uri: 'http://m.example/debian/', suite: 'trixie' },
      { uri: 'http://s.example', suite: 'trixie-security' },
    ],
    releases: {
      trixie: 'digest of Date: Sat, 01 Nov 2025 00:00:00 UTC',
      'trixie-security': `digest of ${stamp}`,
    },
    epoch: indexDate(stamp),
  });
});

test('a snapshot stands in the place that the mirror gives it', async () => {
  const { ctx, ran } = machine({ 'http://m.example/20251101T000000Z/dists/trixie/InRelease': 'no date here' });
  const options = {
    distro: 'debian',
    suite: 'trixie',
    mirror: 'http://m.example/{snapshot}',
    snapshot: '20251101T000000Z',
  } as const;
  expect(await pinArchive(options, 'x86_64', ctx)).toMatchObject({
    sources: [{ uri: 'http://m.example/20251101T000000Z', suite: 'trixie' }],
    epoch: Date.UTC(2025, 10, 1) / 1000,
  });
  expect(ran.map(([program]) => program)).toEqual(['/usr/lib/apt/apt-helper']);
});

test('a machine without apt leaves the choice of the mirror to the tool, at a fixed time', async () => {
  const { ctx, ran } = machine({}, false);
  expect(await pinArchive({ distro: 'debian', suite: 'trixie' }, 'x86_64', ctx)).toEqual({
    sources: [],
    releases: {},
    epoch: Date.UTC(2025, 0, 1) / 1000,
  });
  expect(ran).toEqual([]);
});

test('a machine that has fetched no lists still says which mirror it uses', async () => {
  const { ctx } = machine({ 'http://a.example/debian/dists/sid/InRelease': stamp });
  const run: Host['run'] = async (command, how) => {
    if (command.argv[0] !== 'apt-get') return ctx.host.run(command, how);
    const known = command.argv.includes('--no-release-info');
    return { exitCode: 0, stdout: known ? targets : '', stderr: '' };
  };
  const pin = await pinArchive({ distro: 'debian', suite: 'sid' }, 'x86_64', { ...ctx, host: { ...ctx.host, run } });
  expect(pin).toMatchObject({ sources: [{ uri: 'http://a.example/debian', suite: 'sid' }] });
});

test('an archive that does not answer is named, with what apt said of it', async () => {
  const failed = pinArchive(
    { distro: 'debian', suite: 'trixy', mirror: 'http://m.example' },
    'x86_64',
    machine({}).ctx,
  );
  await expect(failed).rejects.toMatchObject({
    code: 'TOOL_FAILED',
    message: 'the package archive does not answer: http://m.example/dists/trixy/InRelease',
    detail: ['Err:1 404  Not Found'],
  });
});
