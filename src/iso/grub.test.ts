import { expect, test } from 'vitest';
import type { BootEntry } from './boot-line.ts';
import { addToGrub, editGrub } from './grub.ts';

const entry: BootEntry = {
  title: 'Install lab automatically',
  kernel: 'install.amd/vmlinuz',
  initrd: 'install.amd/initrd.gz',
  answers: 'ingot/answers.cpio',
  words: ['auto=true', 'priority=critical', '---', 'console=ttyS0'],
  ownWords: ['vga=normal'],
  timeoutSeconds: 5,
};

const debian = `set theme=/boot/grub/theme/1
menuentry --hotkey=g 'Graphical install' {
    set background_color=black
    linux    /install.amd/vmlinuz vga=788 --- quiet
    initrd   /install.amd/gtk/initrd.gz
}
menuentry --hotkey=i 'Install' {
    set background_color=black
    linux    /install.amd/vmlinuz vga=788 --- quiet
    initrd   /install.amd/initrd.gz
}
submenu --hotkey=a 'Advanced options ...' {
    menuentry '... Expert install' {
        linux    /install.amd/vmlinuz priority=low vga=788 ---
        initrd   /install.amd/initrd.gz
    }
}
`;

test("Debian's menu gets an entry behind its own, which is the text installer's with the answers", () => {
  expect(editGrub(debian, entry)).toBe(`${debian}# ingot: begin
menuentry 'Install lab automatically' --id ingot {
    set background_color=black
    linux /install.amd/vmlinuz vga=788 auto=true priority=critical --- quiet console=ttyS0
    initrd /install.amd/initrd.gz /ingot/answers.cpio
}
set default=ingot
set timeout_style=menu
set timeout=5
# ingot: end
`);
});

test('doing it again puts the new entry in the place of the old', () => {
  const once = editGrub(debian, entry) ?? '';
  expect(editGrub(once, { ...entry, title: 'x' })).toBe(editGrub(debian, { ...entry, title: 'x' }));
});

test("Ubuntu's words hold letters that GRUB would take for its own", () => {
  const ubuntu = `menuentry "Try or Install Ubuntu Server" {
	set gfxpayload=keep
	linux	/casper/vmlinuz  ---
	initrd	/casper/initrd
}
`;
  const words = ['autoinstall', 'ds=nocloud;s=/cdrom/nocloud/'];
  const { answers: _, ...rest } = entry;
  const edited = editGrub(ubuntu, { ...rest, kernel: 'casper/vmlinuz', initrd: 'casper/initrd', words });
  expect(edited).toContain("    linux /casper/vmlinuz autoinstall 'ds=nocloud;s=/cdrom/nocloud/' ---\n");
  expect(edited).toContain('    initrd /casper/initrd\n');
});

test("Fedora's entry is taken without the check of the medium, whose bytes are others now", () => {
  const fedora = `menuentry 'Test this media & install Fedora 43' --class fedora {
	linux /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=Fedora-S-dvd-x86_64-43 rd.live.check quiet
	initrd /images/pxeboot/initrd.img
}
`;
  const edited = editGrub(fedora, {
    ...{ title: 'x', timeoutSeconds: 1, ownWords: [] },
    kernel: 'images/pxeboot/vmlinuz',
    initrd: 'images/pxeboot/initrd.img',
    words: ['inst.ks=hd:LABEL=Fedora-S-dvd-x86_64-43:/ks.cfg'],
  });
  expect(edited).toContain(
    '    linux /images/pxeboot/vmlinuz inst.stage2=hd:LABEL=Fedora-S-dvd-x86_64-43 quiet inst.ks=hd:LABEL=Fedora-S-dvd-x86_64-43:/ks.cfg\n',
  );
});

test.each([
  ['another device', 'linux ($root)/install.amd/vmlinuz quiet', 'initrd ($root)/install.amd/initrd.gz'],
  ['the command of older loaders', 'linuxefi /install.amd/vmlinuz quiet', 'initrdefi /install.amd/initrd.gz'],
  ['another folder of the same kernel', 'linux /efi/vmlinuz quiet', 'initrd /efi/initrd.gz'],
])('%s is kept', (_, linux, initrd) => {
  const edited = editGrub(`menuentry x {\n  ${linux}\n  ${initrd}\n}\n`, { ...entry, words: ['auto'] });
  expect(edited).toContain(`    ${linux} auto\n    ${initrd} /ingot/answers.cpio\n`);
});

test('where only an entry with another initrd is there, the right one is taken', () => {
  const edited = editGrub(debian.split('menuentry --hotkey=i')[0] ?? '', entry);
  expect(edited).toContain('    initrd /install.amd/initrd.gz /ingot/answers.cpio\n');
});

test('a file that leads to another, and one that starts something else, are left alone', () => {
  expect(editGrub('search --set=root --file /.disk/info\nsource $prefix/grub.cfg\n', entry)).toBeUndefined();
  expect(editGrub('menuentry memtest {\n  linux16 /memtest86+\n}\n', entry)).toBeUndefined();
});

test('a menu whose entries cannot be read gets one with the usual line', () => {
  const odd = 'menuentry x {\n  $boot $kernel\n}\n';
  expect(editGrub(odd, entry)).toBeUndefined();
  const { answers: _, ...rest } = entry;
  const edited = addToGrub(odd, { ...rest, words: ['auto'] });
  expect(edited).toContain('    linux /install.amd/vmlinuz vga=normal auto\n    initrd /install.amd/initrd.gz\n');
  expect(addToGrub('configfile /boot/grub/grub.cfg\n', entry)).toBeUndefined();
});

test.each([
  ['a line longer than kernels read', ['x'.repeat(2100)], 'kernels read 2000'],
  ['a word with a space', ['a b'], 'cannot be a word of a boot line'],
  ['a word with a line break', ['a\nset root=x'], 'cannot be a word of a boot line'],
])('%s is refused', (_, words, message) => {
  expect(() => editGrub(debian, { ...entry, words })).toThrow(message);
});

test('hostile words stay one word', () => {
  const edited = editGrub(debian, { ...entry, words: [`a';reboot;'`, '$(x)', '}'] });
  expect(edited).toContain(`'a'\\'';reboot;'\\''' '$(x)' '}'`);
});
