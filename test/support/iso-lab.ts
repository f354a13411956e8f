import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Debian packages with boot loaders, and with an installer's kernel and initrd; unpacked, never installed. */
export type Unpacked = { readonly folder: string; path(file: string): string };

/** Unpack packages of the machine's own archive into a folder. */
export async function unpackDebs(folder: string, packages: readonly string[]): Promise<Unpacked> {
  await mkdir(folder, { recursive: true });
  await run('apt-get', ['download', ...packages], { cwd: folder });
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.deb')) continue;
    await run('dpkg-deb', ['-x', name, folder], { cwd: folder });
    await rm(join(folder, name));
  }
  return { folder, path: (file) => join(folder, file) };
}

export const loaderPackages = ['grub-pc-bin', 'grub-efi-amd64-bin', 'isolinux', 'syslinux-common'];
export const netbootPackage = 'debian-installer-12-netboot-amd64';
const netbootFolder = 'usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64';

/** Where the installer's kernel and initrd are in the package. */
export const netboot = { kernel: `${netbootFolder}/linux`, initrd: `${netbootFolder}/initrd.gz` };

/** Files by their paths in the ISO; those of this machine as `{ from }`. */
export type IsoFiles = Readonly<Record<string, string | { readonly from: string }>>;

export type Shape = {
  readonly label: string;
  readonly files: IsoFiles;
  /** What GRUB of UEFI reads first, in its own file system; default: it goes to the menu of the ISO. */
  readonly efiMenu?: string;
  /** Where among the files the file system of UEFI is; absent: in a partition behind them. */
  readonly efi?: string;
  readonly bios: 'isolinux' | 'grub';
};

const toMenu =
  'search --no-floppy --set=root --file /.disk/info\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n';

/** Write an ISO of this shape that boots under BIOS and UEFI, from a CD and from a stick. */
export async function makeIso(loaders: Unpacked, iso: string, shape: Shape): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-iso-'));
  try {
    const tree = join(folder, 'tree');
    await placeFiles(tree, { '.disk/info': 'made by a test\n', ...shape.files });
    const efi = join(folder, 'efi.img');
    await makeEfi(loaders, efi, shape.efiMenu ?? toMenu);
    if (shape.efi !== undefined) await placeFiles(tree, { [shape.efi]: { from: efi } });
    await placeLoader(loaders, tree, shape);
    await placeFiles(tree, { 'md5sum.txt': await md5sums(tree) });
    await run('xorriso', [
      '-as',
      'mkisofs',
      '-r',
      '-J',
      '-V',
      shape.label,
      '-o',
      iso,
      ...bootWords(loaders, shape, efi),
      tree,
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function placeFiles(tree: string, files: IsoFiles): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const place = join(tree, path);
    await mkdir(dirname(place), { recursive: true });
    if (typeof content === 'string') await writeFile(place, content);
    else await cp(content.from, place);
  }
}

const efiModules =
  'part_gpt part_msdos fat iso9660 normal linux search search_fs_file configfile echo test all_video serial terminal boot'.split(
    ' ',
  );

async function makeEfi(loaders: Unpacked, image: string, menu: string): Promise<void> {
  const [loader, config, early] = [`${image}.efi`, `${image}.cfg`, `${image}.early`];
  await writeFile(config, menu);
  // The ISO is the device that it was started from: what is in its own file system it does not see.
  await writeFile(early, toMenu);
  const modules = loaders.path('usr/lib/grub/x86_64-efi');
  await run('grub-mkimage', [
    '-d',
    modules,
    '-O',
    'x86_64-efi',
    '-c',
    early,
    '-p',
    '/EFI/BOOT',
    '-o',
    loader,
    ...efiModules,
  ]);
  await run('mformat', ['-C', '-T', '8192', '-i', image, '::']);
  await run('mmd', ['-i', image, '::/EFI', '::/EFI/BOOT']);
  await run('mcopy', ['-i', image, loader, '::/EFI/BOOT/BOOTX64.EFI']);
  await run('mcopy', ['-i', image, config, '::/EFI/BOOT/grub.cfg']);
}

async function placeLoader(loaders: Unpacked, tree: string, { bios }: Shape): Promise<void> {
  if (bios === 'isolinux') {
    const modules = ['ldlinux', 'libcom32', 'libutil', 'menu'].map((name) => [
      `isolinux/${name}.c32`,
      { from: loaders.path(`usr/lib/syslinux/modules/bios/${name}.c32`) },
    ]);
    const binary = { 'isolinux/isolinux.bin': { from: loaders.path('usr/lib/ISOLINUX/isolinux.bin') } };
    await placeFiles(tree, { ...Object.fromEntries(modules), ...binary });
    return;
  }
  const image = join(tree, 'boot/grub/eltorito.img');
  await mkdir(dirname(image), { recursive: true });
  const modules = [
    'biosdisk',
    'iso9660',
    'normal',
    'linux',
    'search',
    'configfile',
    'echo',
    'test',
    'serial',
    'terminal',
  ];
  const words = ['-O', 'i386-pc-eltorito', '-p', '/boot/grub', '-o', image, ...modules];
  await run('grub-mkimage', ['-d', loaders.path('usr/lib/grub/i386-pc'), ...words]);
}

function bootWords(loaders: Unpacked, { bios, efi }: Shape, image: string): readonly string[] {
  const loading = ['-no-emul-boot', '-boot-load-size', '4', '-boot-info-table'];
  const cd =
    bios === 'isolinux'
      ? ['-c', 'isolinux/boot.cat', '-b', 'isolinux/isolinux.bin', ...loading]
      : ['-c', 'boot.catalog', '-b', 'boot/grub/eltorito.img', ...loading, '--grub2-boot-info'];
  const stick =
    bios === 'isolinux'
      ? ['-isohybrid-mbr', loaders.path('usr/lib/ISOLINUX/isohdpfx.bin')]
      : ['--grub2-mbr', loaders.path('usr/lib/grub/i386-pc/boot_hybrid.img')];
  if (efi === undefined) {
    const partition = ['-partition_offset', '16', '-append_partition', '2', '0xef', image, '-appended_part_as_gpt'];
    return [
      ...stick,
      ...partition,
      ...cd,
      '-eltorito-alt-boot',
      '-e',
      '--interval:appended_partition_2:::',
      '-no-emul-boot',
    ];
  }
  const hybrid = bios === 'isolinux' ? ['-isohybrid-gpt-basdat'] : [];
  return [...stick, ...cd, '-eltorito-alt-boot', '-e', efi, '-no-emul-boot', ...hybrid];
}

async function md5sums(tree: string): Promise<string> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = files.sort().map(async (file) => {
    const md5 = createHash('md5')
      .update(await readFile(file))
      .digest('hex');
    return `${md5}  .${file.slice(tree.length)}\n`;
  });
  return (await Promise.all(lines)).join('');
}

/** How an ISO boots: what xorriso tells of its loaders, without the places they moved to. */
export async function bootReport(iso: string): Promise<readonly string[]> {
  const words = ['-no_rc', '-indev', iso, '-report_el_torito', 'plain', '-report_system_area', 'plain', '-pvd_info'];
  const { stdout } = await run('xorriso', words);
  // The space between the files and a partition behind them is a partition too, where there is such a space.
  const gap = /^GPT partname local : +(\d+) {2}Gap1$/m.exec(stdout)?.[1];
  const ofGap = new RegExp(`^GPT .* : +${gap} `);
  return stdout.split('\n').flatMap((line) => (gap !== undefined && ofGap.test(line) ? [] : (reportLine(line) ?? [])));
}

const kept =
  /^(El Torito (cat path|img path|img opts)|System area (options|summary)|Partition offset|MBR (heads|secs)|GPT (disk|partition) GUID|GPT type GUID|GPT partname|Volume Id|Modif)/;

function reportLine(line: string): string | undefined {
  const loader = /^(El Torito boot img : +\d+ +\S+ +y +none +\S+ +\S+ +\d+) +\d+$/.exec(line)?.[1];
  return loader ?? (kept.test(line) ? line : undefined);
}

/** Take files out of an ISO. */
export async function takeOut(iso: string, path: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-iso-'));
  try {
    await run('xorriso', [
      '-no_rc',
      '-osirrox',
      'on',
      '-indev',
      iso,
      '-extract_single',
      `/${path}`,
      join(folder, 'file'),
    ]);
    return await readFile(join(folder, 'file'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
