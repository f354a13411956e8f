import { expect, test } from 'vitest';
import { firstEntry } from './boot-entry.ts';

const ours = `set timeout=0
set default=0
menuentry 'Linux' {
  if [ -e /vmlinuz ]; then
    linux /vmlinuz root=LABEL=root ro console=tty0 console=ttyS0,115200n8
    initrd /initrd.img
  else
    linux /boot/vmlinuz root=LABEL=root ro
    initrd /boot/initrd.img
  fi
}
`;

/** As update-grub writes it on Debian 12, in short. */
const debian = `if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
else
   set default="0"
fi
menuentry 'Debian GNU/Linux' --class debian {
	gfxmode $linux_gfx_mode
	insmod part_gpt
	search --no-floppy --fs-uuid --set=root b5ed0e2c-c3d6-4c5e-8b87-c8b1c2b8a6b1
	echo	'Loading Linux 6.1.0-25-cloud-amd64 ...'
	linux	/boot/vmlinuz-6.1.0-25-cloud-amd64 root=PARTUUID=aa5a2a2e-1b4c ro  console=tty0 console=ttyS0,115200
	echo	'Loading initial ramdisk ...'
	initrd	/boot/initrd.img-6.1.0-25-cloud-amd64
}
submenu 'Advanced options' {
	menuentry 'old' {
		linux	/boot/vmlinuz-6.1.0-20-cloud-amd64 root=PARTUUID=aa5a2a2e-1b4c ro
		initrd	/boot/initrd.img-6.1.0-20-cloud-amd64
	}
}
`;

test('the first entry of a menu is what starts', () => {
  expect(firstEntry(ours)).toEqual({
    ...{ kernel: '/vmlinuz', initrd: '/initrd.img' },
    cmdline: 'root=LABEL=root ro console=tty0 console=ttyS0,115200n8',
  });
  expect(firstEntry(debian, '# GRUB Environment Block\n####')).toEqual({
    ...{ kernel: '/boot/vmlinuz-6.1.0-25-cloud-amd64', initrd: '/boot/initrd.img-6.1.0-25-cloud-amd64' },
    cmdline: 'root=PARTUUID=aa5a2a2e-1b4c ro  console=tty0 console=ttyS0,115200',
  });
});

test.each([
  ['another entry is wanted', debian.replace('default="0"', 'default="1>2"'), ''],
  ['the last choice counts', debian.replace('default="0"', 'default="${saved_entry}"'), ''],
  ['another entry was chosen for the next start', debian, 'next_entry=old\n'],
  ['an entry was saved', debian, 'saved_entry=old\n'],
  ['a path is a variable', ours.replace('/vmlinuz root', '$kernel root'), ''],
  ['the command line has a variable', ours.replace('ro console', '${extra} console'), ''],
  ['the command line is quoted', ours.replace('ro console', '"a b" console'), ''],
  ['no root is named', ours.replaceAll('root=LABEL=root', ''), ''],
  ['there is no initial RAM disk', ours.replaceAll('initrd', 'echo'), ''],
  ['there are two of them', ours.replace('/initrd.img', '/ucode.img /initrd.img'), ''],
  ['there is no entry', 'blscfg\n', ''],
])('where %s GRUB is asked', (_, menu, environment) => {
  expect(firstEntry(menu, environment)).toBeUndefined();
});
