import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Plan } from '../../src/core/plan.ts';
import { type Detour, openDetour } from '../support/debian-13-detour/open.ts';
import { type Built, endsOf, type GuestLab, logOf, openGuestLab, pathOf } from '../support/guest-lab.ts';

const exec = promisify(execFile);

// A whole installation by Debian 13's own installer. The order of the tests matters: they change one image.
let lab: GuestLab;
let folder = '';
let detour: Detour;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-debian-13-'));
  detour = await openDetour(join(folder, 'detour'));
  lab = await openGuestLab('test-vm');
  await mkdir(join(lab.project, 'isos'));
  await cp(detour.kernel, join(lab.project, 'isos/linux'));
  await cp(detour.initrd, join(lab.project, 'isos/initrd.gz'));
  await lab.write(
    'isos.yaml',
    'debian-13: { distribution: debian, arch: x86_64, kernel: { file: isos/linux }, initrd: { file: isos/initrd.gz } }\n',
  );
  await lab.write('scripts/late.sh', '#!/bin/sh -eu\nid -un > /etc/late\ndpkg-query -W sudo >> /etc/late\n', 0o755);
});

afterAll(async () => {
  await lab.close();
  await detour.close();
  await rm(folder, { recursive: true });
});

/** The image, with what its last step writes. */
async function write({ hostname, last }: { readonly hostname: string; readonly last: string }): Promise<void> {
  const answers = [
    ...[`hostname: ${hostname}`, 'timezone: Europe/Vienna', `suite: ${detour.suite}`, `mirror: "${detour.mirror}"`],
    ...['packages: [openssh-server, sudo]', 'root: { password: "${secret.root}" }', 'kernel-args: [quiet]'],
  ];
  const words = ['ipv6.disable=1', ...detour.words].map((word) => `"${word}"`);
  await lab.write(
    'images/dev.yaml',
    `firmware: bios
disk: 6G
memory: 1536M
source:
  installer:
    iso: debian-13
    answers: { ${answers.join(', ')} }
    kernel-args: [${words.join(', ')}]
    post-install: scripts/late.sh
steps:
  - shell: 'test "$(hostname)" = ${hostname}'
  - shell: 'head -n 1 /etc/late | grep -x root'
  - shell: 'echo ${last} > /etc/last'
checks:
  - ssh
  - command: 'grep -x ${last} /etc/last'
  - command: 'grep -q "^sudo" /etc/late && test "$(readlink /etc/localtime)" = /usr/share/zoneinfo/Europe/Vienna'
  - command: 'test "$(. /etc/os-release; echo "$VERSION_CODENAME")" = ${detour.suite}'
  - hygiene
`,
  );
}

const password = 'correct horse battery staple';
const env = { INGOT_SECRET_ROOT: password };
/** Seconds of the first build, which installs. */
let full = 0;

async function build(): Promise<{ readonly built: Built; readonly seconds: number }> {
  const start = performance.now();
  const built = await lab.build(['dev'], { env });
  return { built, seconds: (performance.now() - start) / 1000 };
}

test("Debian's own installer installs a disk that is finished by steps, sealed and checked", async () => {
  await write({ hostname: 'dev', last: 'one' });
  const { built, seconds } = await build();
  full = seconds;
  pathOf(built, 'dev');
  expect(endsOf(built, 'dev').slice(0, 5)).toEqual([
    ...['source done', '1-shell done', '2-shell done', '3-shell done', 'guest-seal done'],
  ]);
  const log = logOf(built, 'dev');
  for (const stage of ['Partitions formatting', 'Installing the base system', 'Installing GRUB boot loader'])
    expect(log).toContain(`installer: ${stage}`);
  expect(JSON.stringify(built.events)).not.toContain(password);
  expect(await lab.processes('qemu')).toEqual([]);
});

test('another step costs no installation', async () => {
  await write({ hostname: 'dev', last: 'two' });
  const { built, seconds } = await build();
  pathOf(built, 'dev');
  expect(endsOf(built, 'dev').slice(0, 4)).toEqual([
    'source cached',
    '1-shell cached',
    '2-shell cached',
    '3-shell done',
  ]);
  process.stdout.write(`full build ${full.toFixed(0)} s, last step changed ratio ${(seconds / full).toFixed(2)}\n`);
});

test('another answer plans another installation, another step does not', async () => {
  const before = await plannedStates();
  await write({ hostname: 'dev', last: 'three' });
  const step = await plannedStates();
  await write({ hostname: 'other', last: 'three' });
  const answer = await plannedStates();
  expect([before[0], step[0], answer[0]]).toEqual(['source hit', 'source hit', 'source miss']);
});

/** The steps of the image, as `ingot plan` tells them. */
async function plannedStates(): Promise<readonly string[]> {
  const argv = [join(import.meta.dirname, '../../ingot'), ['plan', '--json', 'dev']] as const;
  const { stdout } = await exec(...argv, { cwd: lab.project, env: { ...process.env, ...env, INGOT_HOME: lab.home } });
  const { data } = JSON.parse(stdout) as { readonly data: readonly Plan[] };
  return data.flatMap(({ stages }) => stages.flatMap(({ steps }) => steps.map(({ id, state }) => `${id} ${state}`)));
}
