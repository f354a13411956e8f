import { link, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Manifest } from '../../src/core/manifest.ts';
import {
  type Built,
  endsOf,
  failureOf,
  type GuestLab,
  hasBooted,
  logOf,
  openGuestLab,
  pathOf,
} from '../support/guest-lab.ts';
import { makeStandIn } from '../support/stand-in-installer.ts';

// One home, and one image that is changed from test to test: the order of the first tests matters.
let lab: GuestLab;
const password = 'correct horse battery staple';
const env = { INGOT_SECRET_DEV: password };

beforeAll(async () => {
  lab = await openGuestLab('test-vm');
  await mkdir(join(lab.project, 'isos'));
  const folder = await mkdtemp(join(tmpdir(), 'ingot-stand-in-'));
  try {
    await makeStandIn(folder, join(folder, 'stand-in.iso'));
    await link(join(folder, 'stand-in.iso'), join(lab.project, 'isos/stand-in.iso'));
  } finally {
    await rm(folder, { recursive: true });
  }
  const iso = 'arch: x86_64, file: isos/stand-in.iso';
  const elsewhere = 'kernel: install.amd/vmlinuz, initrd: install.amd/initrd.gz';
  await lab.write(
    'isos.yaml',
    `stand-in: { distribution: debian, ${iso} }
as-ubuntu: { distribution: ubuntu, ${iso}, ${elsewhere} }
as-fedora: { distribution: fedora, ${iso} }
changed: { distribution: debian, ${iso}, checksum: "sha256:${'0'.repeat(64)}" }
`,
  );
  await lab.write('scripts/mark.sh', '#!/bin/sh\ncat /etc/hostname > /etc/marked\n', 0o755);
  await lab.write('preseeds/own.cfg', 'd-i debian-installer/locale string ${values.locale}\n');
  await lab.write('preseeds/bad.cfg', '# mine\nd-i netcfg/get_hostname\n');
});

afterAll(() => lab.close());

async function write(name: string, source: string, more = ''): Promise<void> {
  await lab.write(
    `images/${name}.yaml`,
    `source: { installer: { ${source} } }\nfirmware: bios\nmemory: 1G\n${more.includes('disk:') ? '' : 'disk: 2G\n'}${more}`,
  );
}

const user = 'user: { name: dev, password: "${secret.dev}", sudo: false }';
const answers = (hostname: string) => `answers: { hostname: ${hostname}, packages: [openssh-server], ${user} }`;
const later = (step: string) => `steps:
  - shell: 'test "$(cat /etc/marked)" = "$(cat /etc/hostname)"'
  - shell: ${step}
checks: [ssh, hygiene]
`;

test('an ISO becomes a sealed, checked disk', { timeout: 20 * 60_000 }, async () => {
  await write('dev', `iso: stand-in, ${answers('dev')}, post-install: scripts/mark.sh`, later('echo one > /etc/last'));
  const built = await lab.build(['dev'], { env });
  const path = pathOf(built, 'dev');
  expect(endsOf(built, 'dev').slice(0, 4)).toEqual(['source done', '1-shell done', '2-shell done', 'guest-seal done']);
  const stages = logOf(built, 'dev').filter((line) => line.startsWith('installer: '));
  expect(stages).toEqual([
    'installer: Detecting the answers',
    'installer: Configuring the network of dev',
    'installer: Partition disks',
    'installer: Installing the base system',
    'installer: Installing GRUB boot loader',
    'installer: Finishing the installation',
  ]);
  const manifest = JSON.parse(await readFile(join(path, '../manifest.json'), 'utf8')) as Manifest;
  expect(manifest.packages.map(({ name }) => name)).toContain('openssh-server');
  expect(JSON.stringify(built.events)).not.toContain(password);
  expect(await lab.processes('qemu')).toEqual([]);
});

test('another step costs no installation', async () => {
  await write(
    'dev',
    `iso: stand-in, ${answers('dev')}, post-install: scripts/mark.sh, time-limit: 3h`,
    later('echo two > /etc/last'),
  );
  const built = await lab.build(['dev'], { env });
  pathOf(built, 'dev');
  expect(endsOf(built, 'dev').slice(0, 3)).toEqual(['source cached', '1-shell cached', '2-shell done']);
});

test('another answer does, and may come by HTTP', { timeout: 20 * 60_000 }, async () => {
  await write(
    'dev',
    `iso: stand-in, ${answers('other')}, post-install: scripts/mark.sh, answers-by: http`,
    later('grep -x other /etc/hostname'),
  );
  const built = await lab.build(['dev'], { env });
  pathOf(built, 'dev');
  expect(endsOf(built, 'dev').slice(0, 3)).toEqual(['source done', '1-shell done', '2-shell done']);
  expect(logOf(built, 'dev')).toContain('the installer took preseed.cfg');
});

/** The error of an installation that is to fail; nothing of it stays. */
async function failing(name: string, source: string, more = '') {
  await write(name, source, more);
  const built: Built = await lab.build([name], { env });
  const failure = failureOf(built, name);
  expect(endsOf(built, name)).toEqual(['source failed']);
  expect(await lab.processes('qemu')).toEqual([]);
  return { ...failure, built, exit: built.code };
}

const plain = 'answers: { hostname: dev }';

test('a seed disk is found by its label', async () => {
  const { message, built } = await failing('seed', `iso: as-ubuntu, ${plain}, kernel-args: [standin=off]`);
  expect(logOf(built, 'seed')).toContain('installer: Configuring the network of dev');
  expect(message).toBe('the installer turned the machine off and wrote nothing to the disk');
});

test('a question that the answers do not cover is named, with a picture of the screen', async () => {
  const { message, text } = await failing(
    'asking',
    'iso: stand-in, preseed: preseeds/own.cfg, values: { locale: C.UTF-8 }',
  );
  expect(message).toBe('the installer asks a question that its answers do not cover: Configure the network: Hostname');
  expect(text).toMatch(/answer it in `answers` or in your own answer file/);
  expect(text).toMatch(/Prompt: '\?' for help/);
  expect(text).toMatch(/screen: \S+\/screen-installer\.png/);
});

test.each<[string, string, string, RegExp]>([
  [
    'stalls',
    'stall',
    'silence-limit: 10s',
    /^the installer has stalled: for 10 s it said nothing, and read and wrote nothing$/,
  ],
  ['takes too long', 'stall', 'time-limit: 15s', /^the installation took longer than its time limit of 15 s$/],
  ['panics', 'panic', '', /^the kernel panicked$/],
  ['restarts', 'restart', '', /^the installer restarted the machine in place of turning it off$/],
])('an installer that %s ends the build', async (_, word, option, words) => {
  const options = [`iso: stand-in, ${plain}, kernel-args: [standin=${word}]`, option].filter((text) => text !== '');
  const { message, text } = await failing(`bad-${word}`, options.join(', '));
  expect(message).toMatch(words);
  expect(text).toMatch(/last lines of the console:\n {2}\S/);
});

test('a disk that is too small is named', async () => {
  const { message, hint } = await failing('small', `iso: stand-in, ${plain}`, 'disk: 128M\n');
  expect([message, hint]).toEqual(['the disk is too small for what is installed', 'raise `disk` of the image']);
});

test('an ISO without the expected kernel is refused, with what is there', async () => {
  const { exit, text } = await failing('strange', `iso: as-fedora, ${plain}`);
  expect(exit).toBe(3);
  expect(text).toMatch(
    /the ISO as-fedora \(STANDIN\) has no images\/pxeboot\/vmlinuz and no images\/pxeboot\/initrd\.img/,
  );
  expect(text).toMatch(/ {2}install\.amd\/vmlinuz/);
});

test('an ISO with another checksum is refused', async () => {
  const { exit, message } = await failing('changed', `iso: changed, ${plain}`);
  expect(exit).toBe(3);
  expect(message).toMatch(/stand-in\.iso/);
});

test("mistakes in somebody's own file are told by its line, before anything boots", async () => {
  const { message, exit, built } = await failing('mistaken', 'iso: stand-in, preseed: preseeds/bad.cfg');
  expect(message).toBe('preseeds/bad.cfg is not a preseed file: line 2 is not complete');
  expect(exit).toBe(3);
  expect(hasBooted(built, 'mistaken')).toBe(false);
});
