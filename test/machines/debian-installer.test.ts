import { cp, link, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Built, endsOf, type GuestLab, logOf, openGuestLab } from '../support/guest-lab.ts';
import { loaderPackages, makeIso, netboot, netbootPackage, unpackDebs } from '../support/iso-lab.ts';
import { mirrorsOfThisMachine } from '../support/machine-mirrors.ts';

// The real installer of Debian 12, as far as it can go without a whole mirror: until it has taken our answers and loads
// its parts. A question before that would end the build with an error.
let lab: GuestLab;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-debian-installer-'));
  lab = await openGuestLab('test-vm');
  const packages = await unpackDebs(join(folder, 'debs'), [netbootPackage, ...loaderPackages]);
  const files = {
    'install.amd/vmlinuz': { from: packages.path(netboot.kernel) },
    'install.amd/initrd.gz': { from: packages.path(netboot.initrd) },
    'boot/grub/grub.cfg': 'menuentry "Install" {\n linux /install.amd/vmlinuz\n initrd /install.amd/initrd.gz\n}\n',
  };
  const iso = join(folder, 'debian.iso');
  await makeIso(packages, iso, { label: 'DEBIAN', files, efi: 'appended', bios: 'grub' });
  await mkdir(join(lab.project, 'isos'));
  await link(iso, join(lab.project, 'isos/debian.iso')).catch(() => cp(iso, join(lab.project, 'isos/debian.iso')));
  for (const [name, path] of Object.entries(netboot)) await cp(packages.path(path), join(lab.project, 'isos', name));
  answers = `answers: { hostname: dev, packages: [openssh-server]${await mirrorAnswer()} }, kernel-args: [ipv6.disable=1]`;
  await lab.write(
    'isos.yaml',
    `netboot: { distribution: debian, arch: x86_64, kernel: { file: isos/kernel }, initrd: { file: isos/initrd } }
iso: { distribution: debian, arch: x86_64, file: isos/debian.iso }
`,
  );
});

afterAll(async () => {
  await lab.close();
  await rm(folder, { recursive: true });
});

let answers = '';

/** The installer has a mirror of its own, which may be out of reach. */
async function mirrorAnswer(): Promise<string> {
  const { debian } = await mirrorsOfThisMachine();
  return debian === undefined ? '' : `, mirror: "${debian}"`;
}

/** What an installer says when nobody is asked any more. */
const parts = 'installer: Loading additional components';

/** Run a command until as many installers load their parts; then it is ended. */
async function untilParts(count: number, words: readonly string[]): Promise<Built> {
  const there = new Set<string>();
  const built = await lab.run(words, {
    onEvent: (event, end) => {
      if (event.type !== 'log' || event.line !== parts) return;
      there.add(`${event.build} ${event.id}`);
      if (there.size === count) end();
    },
  });
  const failed = built.events.flatMap((event) => (event.type === 'step.end' ? (event.error ?? []) : []));
  expect(there.size, `${JSON.stringify(failed)} ${built.stderr}`).toBe(count);
  expect(built.code).toBe(130);
  expect(await lab.processes('qemu')).toEqual([]);
  return built;
}

const write = (name: string, firmware: string, source: string) =>
  lab.write(
    `images/${name}.yaml`,
    `source: { installer: { ${source} } }\nfirmware: ${firmware}\nmemory: 1G\ndisk: 4G\n`,
  );

// GRUB stands at its menu until a key is pressed; firmware takes its time when it is translated.
const typed = [
  "'<wait30>c<wait2>linux /install.amd/vmlinuz auto=true priority=critical preseed/url=<url>preseed.cfg DEBIAN_FRONTEND=text TERM=dumb console=ttyS0 ipv6.disable=1 netcfg/get_hostname=dev<enter>'",
  "'initrd /install.amd/initrd.gz<enter><wait20>boot<enter>'",
].join(', ');

test('netboot files, the kernel of an ISO, and what is typed at its loader: answers in the initrd, and by HTTP', async () => {
  await write('a', 'bios', `iso: netboot, ${answers}`);
  await write('b', 'uefi', `iso: iso, ${answers}, answers-by: http`);
  await write('typed', 'bios', `iso: iso, ${answers}, answers-by: http, boot-command: [${typed}]`);
  const built = await untilParts(3, ['build', 'a', 'b', 'typed', '--jobs', '3']);
  const taken = (name: string) => logOf(built, name).filter((line) => line.startsWith('the installer took'));
  expect(taken('a')).toEqual([]);
  expect(taken('b')).toEqual(['the installer took preseed.cfg']);
  expect(taken('typed')).toEqual(['the installer took preseed.cfg']);
  expect(logOf(built, 'a')).toContain('installer: Configuring the network with DHCP');
});

test('an ISO with the answers starts by itself under BIOS and UEFI, and asks nothing', async () => {
  await write('stick', 'bios', `iso: iso, ${answers.replace('ipv6', 'DEBIAN_FRONTEND=text, TERM=dumb, ipv6')}`);
  const built = await untilParts(2, ['iso', 'build', 'stick', '--console', 'ttyS0,115200']);
  // The quicker of the two goes on meanwhile, and may find that the mirror lacks a part.
  expect(endsOf(built, 'stick').slice(0, 2)).toEqual(['fetch done', 'iso done']);
});
