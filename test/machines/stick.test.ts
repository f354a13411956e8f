import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Manifest } from '../../src/core/manifest.ts';
import { endsOf, failureOf, type GuestLab, hasBooted, logOf, openGuestLab, pathOf } from '../support/guest-lab.ts';
import { takeOut, unpackDebs } from '../support/iso-lab.ts';
import { makeBootableStandIn } from '../support/stand-in-installer.ts';

// Media that install by themselves, booted as a person's machine would: by their own loaders, or over the network.
const repository = join(import.meta.dirname, '..', '..');
let lab: GuestLab;

beforeAll(async () => {
  lab = await openGuestLab('test-vm');
  await mkdir(join(lab.project, 'isos'));
  const folder = await mkdtemp(join(tmpdir(), 'ingot-stand-in-'));
  try {
    await makeBootableStandIn(folder, join(lab.project, 'isos/stand-in.iso'));
  } finally {
    await rm(folder, { recursive: true });
  }
  for (const name of ['vmlinuz', 'initrd.gz'])
    await lab.write(`isos/${name}`, await takeOut(join(lab.project, 'isos/stand-in.iso'), `install.amd/${name}`));
  await lab.write(
    'isos.yaml',
    `stand-in: { distribution: debian, arch: x86_64, file: isos/stand-in.iso }
net: { distribution: debian, arch: x86_64, kernel: { file: isos/vmlinuz }, initrd: { file: isos/initrd.gz } }
`,
  );
  await lab.write('notes/site.txt', 'from the medium\n');
  await lab.write('scripts/note.sh', 'cp /media/ingot/files/notes/site.txt /etc/note\n');
});

afterAll(() => lab.close());

const image = (source: string, more = '') =>
  `source: { installer: { ${source} } }\nfirmware: bios\nmemory: 1G\ndisk: 2G\n${more}`;
const serial = ['--console', 'ttyS0,115200'];
const shelf = (...names: readonly string[]) => join(lab.home, 'artifacts', ...names);

/** The stand-in's own system has no jq, and the machine that it is installed on no network. */
test('an ISO is shown when it has installed a machine that lets us in, without a network', async () => {
  await lab.write(
    'images/air.yaml',
    image(
      `iso: stand-in, answers: { hostname: air, suite: bookworm, packages: [jq] }, post-install: scripts/note.sh,
      medium: { offline: true, files: [notes/site.txt] }`,
      'checks: [ssh, hygiene, { command: { run: "hostname; cat /etc/note; jq -n 6*7", stdout: { matches: "^air\\\\nfrom the medium\\\\n42$" } } }]\n',
    ),
  );
  const built = await lab.run(['iso', 'build', 'air', ...serial]);
  const path = pathOf(built, 'air');
  expect(path).toBe(shelf('isos', 'air', 'x86_64', 'air.iso'));
  const { checks } = JSON.parse(await readFile(join(dirname(path), 'manifest.json'), 'utf8')) as Manifest;
  expect(checks.map(({ title, outcome }) => `${title}: ${outcome}`)).toEqual([
    'install from it under BIOS: done',
    'start to install from it under UEFI: done',
    'boot under BIOS: done',
    'ssh login: done',
    expect.stringMatching(/^command .*: done$/),
  ]);
  expect(logOf(built, 'air')).toContain('installer: Finishing the installation');
  expect(await lab.processes('qemu')).toEqual([]);
  const again = await lab.run(['iso', 'build', 'air', ...serial]);
  expect(endsOf(again, 'air')).toEqual(['fetch done']);
  expect(hasBooted(again, 'air')).toBe(false);
});

test('an ISO that asks a question is never shown', async () => {
  await lab.write('images/asks.yaml', image('iso: stand-in, answers: { hostname: asks }, kernel-args: [standin=ask]'));
  const built = await lab.run(['iso', 'build', 'asks', ...serial]);
  const { text } = failureOf(built, 'asks');
  expect(built.code).toBe(6);
  expect(text).toMatch(/^2 checks failed: install from it under BIOS, start to install from it under UEFI$/m);
  expect(text).toMatch(/the installer asks a question that its answers do not cover: Choose a mirror/);
  await expect(stat(shelf('isos', 'asks'))).rejects.toThrow('ENOENT');
  expect(await lab.processes('qemu')).toEqual([]);
});

const uefi = ['-drive', 'if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd'];

// The card of QEMU has iPXE for both firmwares in its ROM.
test.each([
  ['BIOS', []],
  ['UEFI', uefi],
])('a folder that is served starts the installer over the network, with its answers, under %s', async (_, firmware) => {
  const built = await netboot();
  expect(pathOf(built, 'pxe')).toBe(shelf('netboot', 'pxe', 'x86_64', 'boot.ipxe'));
  const said = await served((port) => {
    const url = `http://10.0.2.2:${port}/netboot/pxe/x86_64/boot.ipxe`;
    return saidBy([...firmware, '-netdev', `user,id=net,bootfile=${url}`, '-device', card]);
  });
  expect(said).toContain('Configuring the network of pxe');
});

test('GRUB that UEFI fetched by TFTP starts the installer from a folder beside it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-tftp-'));
  try {
    const grub = await unpackDebs(join(folder, 'debs'), ['grub-efi-amd64-bin']);
    await copyFile(grub.path('usr/lib/grub/x86_64-efi/monolithic/grubnetx64.efi'), join(folder, 'grubx64.efi'));
    await mkdir(join(folder, 'grub'));
    // Where the folder's own file ends without a start, the machine ends too.
    await writeFile(join(folder, 'grub/grub.cfg'), 'configfile /lab/grub.cfg\nhalt\n');
    expect((await netboot('--output', join(folder, 'lab'))).code).toBe(0);
    const tftp = ['-netdev', `user,id=net,tftp=${folder},bootfile=grubx64.efi`, '-device', `${card},romfile=`];
    expect(await saidBy([...uefi, ...tftp])).toContain('Configuring the network of pxe');
  } finally {
    await rm(folder, { recursive: true });
  }
});

const card = 'virtio-net-pci,netdev=net,bootindex=0';

async function netboot(...words: readonly string[]) {
  await lab.write('images/pxe.yaml', image('iso: net, answers: { hostname: pxe }, kernel-args: [standin=off]'));
  return lab.run(['iso', 'netboot', 'pxe', ...serial, ...words]);
}

/** What a machine says that has nothing but a network. */
function saidBy(parts: readonly string[]): Promise<string> {
  const machine = ['-nodefaults', '-machine', 'q35', '-accel', 'tcg', '-cpu', 'max,-cx16', '-m', '1G', '-no-reboot'];
  return outputOf('qemu-system-x86_64', [...machine, '-display', 'none', '-serial', 'stdio', ...parts]);
}

/** What a program says until it ends by itself. */
async function outputOf(program: string, argv: readonly string[]): Promise<string> {
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(child, 'close');
  return said;
}

/** Do something while `ingot serve` runs. */
async function served<T>(act: (port: number) => Promise<T>): Promise<T> {
  const env = { ...process.env, INGOT_HOME: lab.home, NO_COLOR: '1' };
  const argv = ['serve', '--listen', '127.0.0.1:0'];
  const child = spawn(join(repository, 'ingot'), argv, { cwd: lab.project, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'close');
  try {
    return await act(await portOf(child.stderr));
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

function portOf(stderr: NodeJS.ReadableStream): Promise<number> {
  return new Promise((resolve) => {
    stderr.setEncoding('utf8').on('data', (text: string) => {
      const port = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
}
