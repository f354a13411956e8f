import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answersSchema, canonical, type HashedAnswers, type PasswordHash } from './answers.ts';
import type { AnswerFormat, Extra } from './format.ts';
import { adoptFile, distributions, formatOf, ownFileKeys, renderAnswers } from './formats.ts';

const hash = `$6$ingotingot$${'a.B/'.repeat(22).slice(0, 86)}` as PasswordHash;
const keyText = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOIiHcbg/7ytfLFHUNLRgEAubFz/13SwXBOM/05GNZe4';

/** The same answers but for some that were not asked. */
function without(answers: HashedAnswers, ...names: readonly (keyof HashedAnswers)[]): HashedAnswers {
  const left = Object.entries(answers).filter(([name]) => !(names as readonly string[]).includes(name));
  return Object.fromEntries(left) as HashedAnswers;
}

/** What each installer can be told: it refuses the rest, see below. */
const carries: Readonly<Record<string, (answers: HashedAnswers) => HashedAnswers>> = {
  debian: (answers) => without(answers, 'email'),
  ubuntu: (answers) => ({
    ...without(answers, 'email', 'country', 'suite'),
    disk: { ...answers.disk, filesystem: 'ext4' },
  }),
  fedora: (answers) =>
    without(answers, 'email', 'country', 'suite', ...(answers.mirror === undefined ? (['proxy'] as const) : [])),
  proxmox: (answers) => ({
    ...without(answers, 'user', 'mirror', 'proxy', 'suite'),
    ...{
      domain: answers.domain ?? 'example.org',
      locale: 'en_US.UTF-8',
      keyboard: 'ch(fr)',
      packages: [],
      'kernel-args': [],
    },
    disk: { device: '/dev/sda', filesystem: answers.disk.filesystem },
    root: { password: hash, 'ssh-keys': answers.root?.['ssh-keys'] ?? [] },
    network: answers.network === 'dhcp' ? 'dhcp' : { ...answers.network, dns: ['192.0.2.53'] },
  }),
  alpine: (answers) => ({
    ...without(answers, 'email', 'country', 'suite'),
    network: answers.network === 'dhcp' ? 'dhcp' : { ...answers.network, dns: [...answers.network.dns, '192.0.2.53'] },
  }),
};

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const hostile = [
  ...['`id`', '$(id)', '${HOME}', '; reboot', "'", '"', '\\', '\\n', '%end', '%post', '#', ': ', '- ', '*', '|', '&'],
  ...['EOF', "'''", ']', '{', 'd-i passwd/root-password string x', 'é', '漢字', '𝄞', '\u00a0', '\\$(id)', '%n', '!'],
];
/** The one answer that may hold whatever a person can see. */
const comment = fc
  .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'grapheme' })), { maxLength: 8 })
  .map((parts) => `${keyText} ${parts.join('')}`)
  .filter((key) => answersSchema.safeParse({ hostname: 'a', root: { 'ssh-keys': [key] } }).success);
const keys = fc.array(comment, { maxLength: 3 });
const word = (pattern: RegExp) => fc.stringMatching(pattern);
const plainObjects = { noNullPrototype: true } as const;
const account = fc.record({ password: optional(fc.constant(hash)), 'ssh-keys': keys }, plainObjects);
const four = fc.ipV4();
const fixed = fc.record({
  address: fc.tuple(four, fc.integer({ min: 0, max: 32 })).map(([ip, prefix]) => `${ip}/${prefix}`),
  gateway: four,
  dns: fc.array(four, { maxLength: 3 }),
});
const answersArbitrary: fc.Arbitrary<HashedAnswers> = fc
  .record({
    hostname: word(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/),
    domain: optional(fc.constantFrom('example.org', 'a', 'x-1.y.z')),
    timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Argentina/Ushuaia', 'Etc/GMT+5'),
    locale: fc.constantFrom('en_US.UTF-8', 'de_AT.UTF-8', 'C.UTF-8', 'C', 'ca_ES.UTF-8@valencia'),
    keyboard: fc.constantFrom('us', 'de', 'ch(fr)', 'de(nodeadkeys)'),
    country: optional(fc.constantFrom('at', 'us', 'de')),
    disk: fc.record({
      device: optional(fc.constantFrom('/dev/vda', '/dev/nvme0n1', '/dev/disk/by-id/x-1')),
      filesystem: fc.constantFrom('ext4' as const, 'xfs' as const, 'btrfs' as const),
    }),
    packages: fc.array(fc.constantFrom('openssh-server', 'vim', 'sudo', 'g++', '@development-tools', 'python3.11'), {
      maxLength: 4,
    }),
    user: optional(
      fc
        .tuple(account, word(/^[a-z_][a-z0-9_-]{0,12}$/), fc.boolean())
        .map(([one, name, sudo]) => ({ ...one, name: name === 'root' ? 'r' : name, sudo })),
    ),
    root: optional(account),
    network: fc.oneof(
      fc.constant('dhcp' as const),
      fixed,
      fixed.map((one) => ({ ...one, interface: 'enp1s0' })),
      fc.constant({ address: '2001:db8::10/64', gateway: 'fe80::1', dns: ['2001:db8::53'] }),
    ),
    mirror: optional(
      fc.constantFrom('http://mirror.example.org/debian', 'https://m.example:8443', 'http://192.0.2.1/x/'),
    ),
    proxy: optional(fc.constantFrom('http://proxy.example.org:3128', 'http://[2001:db8::1]:3128/')),
    suite: optional(fc.constantFrom('trixie', 'stable')),
    'kernel-args': fc.array(fc.constantFrom('console=ttyS0,115200', 'quiet', 'net.ifnames=0', 'a=%n'), {
      maxLength: 3,
    }),
    email: optional(fc.constantFrom('ops@example.org', 'a+b@x.y')),
  })
  .map((answers) => canonical(answers as HashedAnswers));
const scriptText = fc.oneof(
  fc.constant('#!/usr/bin/env python3\nprint("é")\n'),
  fc.string({ unit: 'grapheme' }),
  fc
    .array(fc.constantFrom(...hostile, '\n', '\0', '\r', '\u2028', '\n%end\n', "\n'\n"), { maxLength: 10 })
    .map((parts) => parts.join('')),
);
const extraArbitrary: fc.Arbitrary<Extra> = fc.record(
  {
    postInstall: fc.array(
      fc.record<{ name: string; text: string }>(
        { name: fc.oneof(fc.constant('scripts/x.sh'), fc.constantFrom(...hostile)), text: scriptText },
        plainObjects,
      ),
      { maxLength: 3 },
    ),
    powerOff: fc.boolean(),
  },
  plainObjects,
);
/** The same where the installer can use its medium, or only its scripts can. */
function extrasOf({ medium }: AnswerFormat): fc.Arbitrary<Extra> {
  if (medium === undefined) return extraArbitrary;
  const uses = fc.constantFrom(...(medium === 'repository' ? [undefined, true, false] : [undefined, false]));
  return fc.tuple(extraArbitrary, uses).map(([extra, offline]): Extra => {
    const isUsed = offline === true || (offline === false && extra.postInstall.length > 0);
    return isUsed ? { ...extra, medium: { offline } } : extra;
  });
}

describe.each(distributions)('%s', (distribution) => {
  const format = formatOf(distribution);

  test('reads back the same answers from what it renders, whatever they hold', () => {
    fc.assert(
      fc.property(answersArbitrary, extrasOf(format), (answers, extra) => {
        const wanted = canonical((carries[distribution] ?? ((same) => same))(answers));
        expect(format.refuses(wanted)).toEqual([]);
        const files = renderAnswers(format, wanted, extra);
        expect(format.read(files)).toEqual({ answers: wanted, extra });
      }),
      { numRuns: 150 },
    );
  });

  test('reads nothing that it does not write', () => {
    const files = renderAnswers(format, sample(distribution), full);
    for (const [name, text] of files) {
      if (text === '') continue;
      const lines = text.split('\n');
      for (const at of lines.keys()) {
        const more = [...lines.slice(0, at), 'something: else', ...lines.slice(at)].join('\n');
        expect(() => format.read(new Map([...files, [name, more]])), `${name}:${at}`).toThrow(Error);
      }
    }
  });

  test('gives equal files for equal answers', () => {
    expect(format.render(sample(distribution), full)).toEqual(format.render(sample(distribution), full));
  });

  test('is asked for all words that it takes, and no others', () => {
    const all = ['initrd', 'seed', 'url', 'medium'] as const;
    const wordsFor = (by: (typeof all)[number]) => () =>
      format.words(
        { by, url: 'http://10.0.2.2:8000/token/', path: '/ingot/' },
        { answers: sample(distribution), console: 'ttyS0,115200' },
      );
    for (const by of format.deliveries) expect(wordsFor(by)().filter((one) => /\s/.test(one))).toEqual([]);
    for (const by of all.filter((one) => !format.deliveries.includes(one))) expect(wordsFor(by)).toThrow(Error);
  });
});

const full: Extra = { postInstall: [{ name: 'scripts/base.sh', text: '#!/bin/sh\necho done\n' }], powerOff: true };

function sample(distribution: string): HashedAnswers {
  const answers = answersSchema.parse({
    hostname: 'dev',
    domain: 'example.org',
    timezone: 'Europe/Berlin',
    disk: '/dev/vda',
    packages: ['openssh-server', 'vim'],
    'kernel-args': ['console=tty0', 'console=ttyS0,115200'],
    mirror: 'http://mirror.example.org/linux',
    proxy: 'http://proxy.example.org:3128',
    email: 'ops@example.org',
    suite: 'trixie',
    network: { address: '192.0.2.10/24', gateway: '192.0.2.1', dns: ['192.0.2.53'], interface: 'enp1s0' },
  });
  const who = {
    user: { name: 'dev', 'ssh-keys': [`${keyText} dev's "laptop"`], sudo: true },
    root: { password: hash, 'ssh-keys': [] },
  };
  return canonical((carries[distribution] ?? ((same) => same))({ ...answers, ...who }));
}

test.each(distributions)('%s: a full rendering is as a person reviewed it', async (distribution) => {
  const files = renderAnswers(formatOf(distribution), sample(distribution), full);
  for (const [name, text] of files) await expect(text).toMatchFileSnapshot(`golden/${distribution}/${name}`);
});

test("Debian's installer without a network takes packages from the repository on its medium", async () => {
  const answers = { ...sample('debian'), network: 'dhcp' as const };
  const files = renderAnswers(formatOf('debian'), answers, { ...full, medium: { offline: true } });
  for (const [name, text] of files) await expect(text).toMatchFileSnapshot(`golden/debian-offline/${name}`);
});

test.each(['ubuntu', 'fedora', 'alpine'] as const)('%s: scripts find what its ISO holds', async (distribution) => {
  const files = renderAnswers(formatOf(distribution), sample(distribution), { ...full, medium: { offline: false } });
  for (const [name, text] of files) await expect(text).toMatchFileSnapshot(`golden/${distribution}-medium/${name}`);
});

test.each(distributions)(
  '%s: the smallest answers make a machine that nobody logs in to by a password',
  async (distribution) => {
    const small = canonical(
      (carries[distribution] ?? ((same) => same))(answersSchema.parse({ hostname: 'dev' }) as HashedAnswers),
    );
    const files = renderAnswers(formatOf(distribution), small, { postInstall: [], powerOff: true });
    for (const [name, text] of files) await expect(text).toMatchFileSnapshot(`golden/${distribution}-small/${name}`);
  },
);

test.each(Object.entries(ownFileKeys))('%s: a person names the file of %s', (key, distribution) => {
  expect(formatOf(distribution).name).toBe(key);
});

test('a file of somebody is taken as it is, and takes no scripts but where a program stands beside it', () => {
  const none = { postInstall: [], powerOff: true };
  expect(adoptFile(formatOf('debian'), 'text', none)).toEqual(new Map([['preseed.cfg', 'text']]));
  expect(() => adoptFile(formatOf('debian'), 'text', full)).toThrow(/post-install scripts go with `answers`/);
  const alpine = adoptFile(formatOf('alpine'), 'text', full);
  expect(alpine.get('answers')).toBe('text');
  expect(alpine.get('install')).toMatch(/\nchroot \/mnt sh -c 'umask 077/);
});

test.each([
  ['debian', { email: 'a@b.c' }, "answers.email: Debian's installer does not ask for this"],
  ['debian', { disk: { filesystem: 'zfs' } }, "answers.disk.filesystem: Debian's installer cannot make zfs"],
  ['ubuntu', { suite: 'noble' }, "answers.suite: Ubuntu's installer has one release: that of its medium"],
  [
    'ubuntu',
    { disk: { filesystem: 'xfs' } },
    "answers.disk.filesystem: Ubuntu's installer makes ext4 or zfs by itself, not xfs",
  ],
  ['fedora', { proxy: 'http://p.example:1' }, 'answers.proxy: Anaconda takes a proxy only together with a mirror'],
  ['proxmox', { root: { password: 'x' } }, "answers.domain: Proxmox VE's installer needs a full host name"],
  ['proxmox', { domain: 'example.org' }, "answers.root.password: Proxmox VE's installer needs a password for root"],
  [
    'proxmox',
    { domain: 'a.b', root: { password: 'x' }, packages: ['vim'] },
    "answers.packages: Proxmox VE's installer does not ask for this",
  ],
  [
    'alpine',
    { network: { address: '192.0.2.1/24', gateway: '192.0.2.2' } },
    "answers.network.dns: Alpine's installer asks for name servers with a fixed address",
  ],
] as const)('%s: what it cannot carry is refused: %j', (distribution, given, message) => {
  const answers = answersSchema.parse({ hostname: 'dev', ...given }) as HashedAnswers;
  expect(() => formatOf(distribution).render(answers, { postInstall: [], powerOff: true })).toThrow(message);
});

test.each(['debian', 'ubuntu', 'fedora'] as const)('%s: scripts that are too big are refused', (distribution) => {
  const text = '#'.repeat(100_000);
  const extra = { postInstall: [{ name: 'big', text }], powerOff: true };
  expect(() => formatOf(distribution).render(sample(distribution), extra)).toThrow(/100000 bytes, which is too much/);
});

test('the words that run scripts hold for a real shell, and it runs them in order', () => {
  const format: AnswerFormat = formatOf('fedora');
  const postInstall = [
    { name: "a'b $(id)", text: 'echo "one $0" | tr -d /\n' },
    { name: 'second', text: '#!/usr/bin/env python3\nprint("two")\n' },
  ];
  const bare = { ...sample('fedora'), user: undefined };
  const text = format.render(bare, { postInstall, powerOff: true }).get('ks.cfg') ?? '';
  const command =
    /%post --erroronfail\n(.*)\n%end/.exec(text)?.[1]?.replaceAll('/root/ingot-finish', '"$T/finish"') ?? '';
  const out = execFileSync('sh', ['-c', `T=$(mktemp -d) && ${command}; code=$?; rmdir "$T"; exit $code`], {
    encoding: 'utf8',
  });
  expect(out.split('\n')).toEqual([
    'ingot: a%27b%20%24%28id%29',
    expect.stringMatching(/^one .*script$/),
    'ingot: second',
    'two',
    '',
  ]);
});
