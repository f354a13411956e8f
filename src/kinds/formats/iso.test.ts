import { expect, test } from 'vitest';
import { facts, formatLab } from '../../../test/support/format-lab.ts';
import { iso } from './iso.ts';

const lab = formatLab();
const mebibyte = 1024 ** 2;
const version = '6.12.1-amd64';

/** What a disk that a live ISO is made of has, in the places where it is looked for. */
const whole: Readonly<Record<string, string>> = {
  'etc/os-release': 'ID=lab\nPRETTY_NAME="Lab 1"\n',
  'etc/fstab': 'LABEL=root / ext4 defaults 0 1\n',
  'usr/share/initramfs-tools/scripts/live': '#!/bin/sh\n',
  [`boot/vmlinuz-${version}`]: 'a kernel',
  [`boot/initrd.img-${version}`]: 'an initrd',
  [`usr/lib/modules/${version}/modules.dep`]: ['squashfs', 'overlay', 'isofs', 'sr_mod', 'usb-storage', 'xhci-pci']
    .map((name) => `kernel/${name}.ko.xz:\n`)
    .join(''),
  [`usr/lib/modules/${version}/modules.builtin`]: 'kernel/drivers/block/loop.ko\n',
  'usr/lib/grub/i386-pc/kernel.img': '',
  'usr/lib/grub/x86_64-efi/kernel.img': '',
};

async function disk(...without: readonly string[]): Promise<string> {
  const tree = lab.path('tree');
  for (const [path, text] of Object.entries(whole)) {
    if (without.includes(path)) continue;
    await lab.run('mkdir', '-p', `${tree}/${path.slice(0, path.lastIndexOf('/'))}`);
    await lab.ctx.host.files.write(`${tree}/${path}`, text);
  }
  const path = lab.path('disk.raw');
  await lab.run('truncate', '-s', '64M', path);
  await lab.run('sh', '-c', 'printf "label: gpt\\nstart=2048\\n" | sfdisk -q "$0"', path);
  await lab.run('mke2fs', '-q', '-F', '-t', 'ext4', '-E', `offset=${mebibyte}`, '-d', tree, path, '60M');
  return path;
}

test.each([
  ['live-boot', 'usr/share/initramfs-tools/scripts/live', 'the package live-boot is missing', 'add `live-boot`'],
  ['an initrd', `boot/initrd.img-${version}`, 'it has no kernel with an initrd in /boot', '`kernel: generic`'],
  ['modules', `usr/lib/modules/${version}/modules.dep`, `its kernel ${version} has no squashfs, overlay, isofs`, ''],
  ['GRUB', 'usr/lib/grub/i386-pc/kernel.img', 'grub-pc-bin missing', 'packages: [grub-pc-bin]'],
])('a disk without %s is refused with what to do, and nothing is written', async (_, path, message, hint) => {
  const output = lab.path('out/x.iso');
  await lab.run('mkdir', lab.path('out'));
  const writing = lab.write(iso, {}, await disk(path), output);
  await expect(writing).rejects.toMatchObject({
    code: 'SPEC_INVALID',
    message: expect.stringContaining(message) as string,
    hint: expect.stringContaining(hint) as string,
  });
  expect(await lab.ctx.host.files.list(lab.path('out'))).toEqual([]);
});

test('where only UEFI is wanted, no loader for BIOS is', async () => {
  const path = await disk('usr/lib/grub/i386-pc/kernel.img');
  // It comes as far as running GRUB, which is not in this disk.
  const writing = lab.write(iso, {}, path, lab.path('x.iso'), { ...facts, firmware: ['uefi'] });
  await expect(writing).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  expect((await lab.ctx.host.files.list(lab.path(''))).toSorted()).toEqual(['disk.raw', 'tree']);
});

test.each([
  [{ compression: 'xz', level: 12 }, 'only zstd has levels above 9'],
  [{ default: 'persistence', persistence: false }, 'there is no entry `persistence`'],
  [{ 'kernel-args': ['a b'] }, 'expected one word'],
  [{ label: 'a label' }, 'expected at most 32 letters'],
])('options that cannot be are refused: %j', (options, message) => {
  expect(iso.options.safeParse(options).error?.issues[0]?.message).toContain(message);
});
