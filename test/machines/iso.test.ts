import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { IsoBuild } from '../../src/cli/requests/isos.ts';
import {
  bootReport,
  loaderPackages,
  makeIso,
  netboot,
  netbootPackage,
  type Shape,
  takeOut,
  type Unpacked,
  unpackDebs,
} from '../support/iso-lab.ts';

const repository = new URL('../..', import.meta.url).pathname;

let folder = '';
let project = '';
let home = '';

const menu = (kernel: string, initrd: string, words = '') =>
  `set timeout=30\nmenuentry 'Install' {\n  linux /${kernel} ${words} --- quiet\n  initrd /${initrd}\n}\n`;

const shapes = (debs: Unpacked): Readonly<Record<string, Shape>> => ({
  debian: {
    label: 'Debian 12.0.0 amd64 n',
    bios: 'isolinux',
    efi: 'boot/grub/efi.img',
    files: {
      'install.amd/vmlinuz': { from: debs.path(netboot.kernel) },
      'install.amd/initrd.gz': { from: debs.path(netboot.initrd) },
      'isolinux/isolinux.cfg': 'include txt.cfg\ndefault menu.c32\nprompt 0\ntimeout 0\n',
      'isolinux/txt.cfg':
        'label install\n menu label ^Install\n menu default\n kernel /install.amd/vmlinuz\n append vga=788 initrd=/install.amd/initrd.gz --- quiet\n',
      'boot/grub/grub.cfg': menu('install.amd/vmlinuz', 'install.amd/initrd.gz', 'vga=788'),
    },
  },
  ubuntu: {
    label: 'Ubuntu-Server 24.04.3 LTS amd64',
    bios: 'grub',
    // Other vendors' are like this: here it shows that the partition behind the files is changed.
    efiMenu: menu('casper/vmlinuz', 'casper/initrd'),
    files: {
      'casper/vmlinuz': 'kernel',
      'casper/initrd': 'initrd',
      'boot/grub/grub.cfg': menu('casper/vmlinuz', 'casper/initrd'),
    },
  },
  fedora: {
    label: 'Fedora-S-dvd-x86_64-43',
    bios: 'grub',
    efi: 'images/efiboot.img',
    efiMenu: menu('images/pxeboot/vmlinuz', 'images/pxeboot/initrd.img', 'inst.stage2=hd:LABEL=Fedora-S-dvd-x86_64-43'),
    files: {
      'images/pxeboot/vmlinuz': 'kernel',
      'images/pxeboot/initrd.img': 'initrd',
      'boot/grub/grub.cfg': menu('images/pxeboot/vmlinuz', 'images/pxeboot/initrd.img'),
    },
  },
  proxmox: {
    label: 'PVE',
    bios: 'grub',
    efi: 'efi.img',
    files: {
      'boot/linux26': 'kernel',
      'boot/initrd.img': 'initrd',
      'auto-installer-capable': '',
      'boot/grub/grub.cfg': `if [ -f auto-installer-mode.toml ]; then\nset timeout=10\nfi\n${menu('boot/linux26', 'boot/initrd.img')}`,
    },
  },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-machines-'));
  [project, home] = [join(folder, 'project'), join(folder, 'home')];
  const debs = await unpackDebs(join(folder, 'debs'), [...loaderPackages, netbootPackage]);
  await write('ingot.yaml', 'name: demo\n');
  await mkdir(join(project, 'isos'));
  const entries: string[] = [];
  for (const [name, shape] of Object.entries(shapes(debs))) {
    await makeIso(debs, isoOf(name), shape);
    entries.push(`${name}: { distribution: ${name}, arch: x86_64, file: isos/${name}.iso }\n`);
    await write(`images/${name}-lab.yaml`, imageOf(name));
  }
  await write('isos.yaml', `${entries.join('')}odd: { distribution: fedora, arch: x86_64, file: isos/debian.iso }\n`);
  await write('images/odd-lab.yaml', imageOf('odd'));
  await rm(debs.folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

const isoOf = (name: string) => join(project, 'isos', `${name}.iso`);
/** What installers ask for that others do not. */
const more: Readonly<Record<string, string>> = {
  ubuntu: "user: { name: dev, password: 'a long password' }",
  proxmox: "domain: lab.example, email: root@lab.example, root: { password: 'a long password' }",
};
const imageOf = (iso: string) => {
  const own = more[iso] ?? "root: { password: 'a long password' }";
  return `arch: x86_64\nsource: { installer: { iso: ${iso}, answers: { hostname: lab, ${own} } } }\n`;
};

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(project, path)), { recursive: true });
  await writeFile(join(project, path), text);
}

type Built = { readonly code: number; readonly stderr: string; readonly result: IsoBuild | undefined };

async function build(words: readonly string[], inHome = home): Promise<Built> {
  const env = { ...process.env, INGOT_HOME: inHome, NO_COLOR: '1' };
  const argv = ['iso', 'build', '--json', '--arch', 'x86_64', '--no-check', ...words];
  const ended = await promisify(execFile)(join(repository, 'ingot'), argv, { cwd: project, env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  const last = JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '{}') as { kind: string; data?: IsoBuild[] };
  return { code: ended.code, stderr: ended.stderr, result: last.data?.[0] };
}

async function built(...words: readonly string[]): Promise<string> {
  const { code, stderr, result } = await build(words);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return result?.paths[0] ?? '';
}

const textOf = async (iso: string, path: string) => (await takeOut(iso, path)).toString();

test.each(['debian', 'ubuntu', 'fedora', 'proxmox'])(
  'the ISO of %s boots in all the ways that it did, and has the same volume id and UUID',
  async (name) => {
    const iso = await built(`${name}-lab`);
    expect(iso).toBe(join(home, 'artifacts', 'isos', `${name}-lab`, 'x86_64', `${name}-lab.iso`));
    expect(await bootReport(iso)).toEqual(await bootReport(isoOf(name)));
    await promisify(execFile)('sha256sum', ['-c', `${name}-lab.iso.sha256`], { cwd: dirname(iso) });
  },
);

test("Debian's has its answers in a second initrd, and starts with it by itself, under BIOS and UEFI", async () => {
  const iso = await built('debian-lab', '--console', 'ttyS0,115200');
  const grub = await textOf(iso, 'boot/grub/grub.cfg');
  expect(grub).toContain('initrd /install.amd/initrd.gz /ingot/answers.cpio\n');
  expect(grub).toMatch(/linux \/install\.amd\/vmlinuz vga=788 .* --- quiet .*console=ttyS0,115200/);
  expect(grub).toMatch(/set default=ingot\n.*set timeout=5\n/s);
  const isolinux = await textOf(iso, 'isolinux/isolinux.cfg');
  expect(isolinux).toMatch(/append initrd=\/install\.amd\/initrd\.gz,\/ingot\/answers\.cpio vga=788 .* --- quiet/);
  expect(isolinux).toContain('timeout 50\n');
  expect(await textOf(iso, 'isolinux/txt.cfg')).not.toContain('menu default');
  const cpio = await textOf(iso, 'ingot/answers.cpio');
  expect(cpio).toContain('preseed.cfg\0');
  expect(cpio).toContain('d-i netcfg/hostname string lab');
  expect(gunzipSync(await takeOut(iso, 'install.amd/initrd.gz')).length).toBeGreaterThan(0);
});

test('every file that the list of checksums names has that checksum', async () => {
  const iso = await built('debian-lab');
  const lines = (await textOf(iso, 'md5sum.txt')).trim().split('\n');
  expect(lines.map((line) => line.slice(34))).toContain('./ingot/answers.cpio');
  for (const line of lines) {
    const bytes = await takeOut(iso, line.slice(36));
    expect(`${createHash('md5').update(bytes).digest('hex')}  ${line.slice(34)}`).toBe(line);
  }
});

test('what is in it is told beside it: the ISO it was made of and the answers, by their digests', async () => {
  const iso = await built('debian-lab');
  const bom = JSON.parse(await readFile(join(dirname(iso), 'sbom.cdx.json'), 'utf8')) as Bom;
  const sha256 = createHash('sha256')
    .update(await readFile(isoOf('debian')))
    .digest('hex');
  expect(bom.components).toEqual([
    expect.objectContaining({ name: 'debian.iso', hashes: [{ alg: 'SHA-256', content: sha256 }] }),
    expect.objectContaining({ name: 'preseed.cfg' }),
  ]);
  const verify = (path: string) =>
    promisify(execFile)(join(repository, 'ingot'), ['verify', path, '--home', home], { cwd: project });
  expect((await verify(iso)).stdout).toContain('debian-lab x86_64');
  await writeFile(join(dirname(iso), 'sbom.cdx.json'), JSON.stringify({ ...bom, components: [] }));
  await expect(verify(iso)).rejects.toMatchObject({ code: 3 });
  await rm(join(home, 'artifacts', 'isos', 'debian-lab'), { recursive: true });
});

type Bom = { readonly components: readonly { readonly name: string }[] };

test("Ubuntu's has a nocloud folder, and a menu in the partition behind its files", async () => {
  const iso = await built('ubuntu-lab');
  expect(await textOf(iso, 'nocloud/user-data')).toMatch(/^#cloud-config\n.*autoinstall:/s);
  expect(await takeOut(iso, 'nocloud/meta-data')).toBeInstanceOf(Buffer);
  const words = "autoinstall 'ds=nocloud;s=/cdrom/nocloud/'";
  expect(await textOf(iso, 'boot/grub/grub.cfg')).toContain(words);
  expect(await efiMenu(iso)).toContain(words);
  // The second table of partitions is the last that a stick has (UEFI 5.3.2).
  expect((await readFile(iso)).subarray(-512).toString('latin1', 0, 8)).toBe('EFI PART');
});

test("Fedora's has a kickstart file, also in the menu among its files that UEFI reads", async () => {
  const iso = await built('fedora-lab');
  expect(await textOf(iso, 'ks.cfg')).toContain('lab');
  const line = /linux \/images\/pxeboot\/vmlinuz inst\.stage2=\S+ .*inst\.ks=\S+/;
  expect(await efiMenu(iso)).toMatch(line);
});

test("Fedora's answers can lie on a second disk, which its installer finds by its label", async () => {
  const { code, result } = await build(['fedora-lab', '--oemdrv']);
  expect(code).toBe(0);
  const [iso = '', disk = ''] = result?.paths ?? [];
  expect(disk).toMatch(/\/fedora-lab\.oemdrv\.img$/);
  const { stdout: label } = await promisify(execFile)('mlabel', ['-s', '-i', disk, '::']);
  expect(label).toContain('OEMDRV');
  const { stdout: text } = await promisify(execFile)('mtype', ['-i', disk, '::/ks.cfg']);
  expect(text).toContain('lab');
  expect(await bootReport(iso)).toEqual(await bootReport(isoOf('fedora')));
});

test("Proxmox VE's own menu starts by itself where its file is there, which says where the answers are", async () => {
  const iso = await built('proxmox-lab');
  expect(await textOf(iso, 'auto-installer-mode.toml')).toContain('iso');
  expect(await textOf(iso, 'answer.toml')).toContain('fqdn');
  expect(await textOf(iso, 'boot/grub/grub.cfg')).not.toContain('ingot');
  const { result } = await build(['proxmox-lab', '--answers', 'https://pxe.lab.example/pve/']);
  const [other = '', answers = ''] = result?.paths ?? [];
  expect(await textOf(other, 'auto-installer-mode.toml')).toContain('https://pxe.lab.example/pve/');
  expect(await readFile(answers, 'utf8')).toContain('fqdn');
  const { result: disk } = await build(['proxmox-lab', '--answers', 'disk']);
  expect(disk?.paths.map((path) => path.split('/').at(-1))).toEqual(['proxmox-lab.iso', 'proxmox-lab.proxmox-ais.img']);
  expect(await textOf(disk?.paths[0] ?? '', 'auto-installer-mode.toml')).toContain('partition');
});

test('the same answers and the same ISO give the same file, and are found again', async () => {
  const other = join(folder, 'other-home');
  for (const name of ['debian', 'ubuntu', 'fedora']) {
    const first = await build([`${name}-lab`]);
    const [again, elsewhere] = [await build([`${name}-lab`]), await build([`${name}-lab`], other)];
    expect(again.result?.outcome).toBe('cached');
    expect(elsewhere.result?.outcome).toBe('done');
    const [one, two] = await Promise.all([first, elsewhere].map(({ result }) => readFile(result?.paths[0] ?? '')));
    expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
  }
});

test('an ISO that was made so is made anew from its own kind', async () => {
  const first = await built('debian-lab');
  const bytes = await readFile(first);
  await writeFile(isoOf('debian-again'), bytes);
  await write(
    'isos.yaml',
    `${await readFile(join(project, 'isos.yaml'), 'utf8')}again: { distribution: debian, arch: x86_64, file: isos/debian-again.iso }\n`,
  );
  await write('images/debian-lab-2.yaml', imageOf('again'));
  const grub = await textOf(await built('debian-lab-2'), 'boot/grub/grub.cfg');
  expect(grub.match(/--id ingot/g)).toHaveLength(1);
});

test('an ISO without the kernel that its installer has is refused, and nothing of it is visible', async () => {
  const { code, stderr } = await build(['odd-lab']);
  expect(code).toBe(3);
  expect(stderr).toContain('debian.iso has no images/pxeboot/vmlinuz');
  await expect(stat(join(home, 'artifacts', 'isos', 'odd-lab'))).rejects.toThrow('ENOENT');
  expect(await readdir(join(home, 'store', 'work'))).toEqual([]);
});

test('a disk without room is told before anything is written', async () => {
  const small = join(folder, 'small');
  await mkdir(small);
  const mounted = 'mount -t tmpfs -o size=48m none "$0" && exec "$@"';
  const inside = ['--user', '--map-root-user', '--mount', 'sh', '-c', mounted, small];
  const argv = [join(repository, 'ingot'), 'iso', 'build', 'debian-lab', '--arch', 'x86_64', '--home', small];
  const env = { ...process.env, NO_COLOR: '1' };
  const ended = promisify(execFile)('unshare', [...inside, ...argv], { cwd: project, env });
  await expect(ended).rejects.toMatchObject({
    code: 5,
    stderr: expect.stringMatching(/error\[NO_SPACE\]: no space left for .*debian-lab\.iso: \d+ bytes needed/) as string,
  });
});

test('what is no ISO is refused', async () => {
  await writeFile(isoOf('none'), Buffer.alloc(4_000_000, 7));
  await write(
    'isos.yaml',
    `${await readFile(join(project, 'isos.yaml'), 'utf8')}none: { distribution: debian, arch: x86_64, file: isos/none.iso }\n`,
  );
  await write('images/none-lab.yaml', imageOf('none'));
  const { code, stderr } = await build(['none-lab']);
  expect(code).toBe(3);
  expect(stderr).toContain('none.iso is not an ISO that a machine can boot');
});

test('an image with another source is refused with what to write', async () => {
  await write('images/other.yaml', 'source: { disk-image: { file: isos/none.iso } }\n');
  const { code, stderr } = await build(['other']);
  expect(code).toBe(2);
  expect(stderr).toContain('its source is disk-image');
});

async function efiMenu(iso: string): Promise<string> {
  const { stdout } = await promisify(execFile)('xorriso', ['-no_rc', '-indev', iso, '-report_el_torito', 'plain']);
  const block = Number(/^El Torito boot img : +\d+ +UEFI .* (\d+)$/m.exec(stdout)?.[1]);
  const { stdout: text } = await promisify(execFile)('mtype', [
    '-i',
    `${iso}@@${block * 2048}`,
    '::/EFI/BOOT/grub.cfg',
  ]);
  return text;
}
