import { expect, test } from 'vitest';
import type { BootEntry } from './boot-line.ts';
import { editSyslinux, isSyslinux } from './syslinux.ts';

const entry: BootEntry = {
  title: 'Install lab automatically',
  kernel: 'install.amd/vmlinuz',
  initrd: 'install.amd/initrd.gz',
  answers: 'ingot/answers.cpio',
  words: ['auto=true', '---', 'console=ttyS0'],
  ownWords: [],
  timeoutSeconds: 5,
};

const ours = (append: string, kernel = '/install.amd/vmlinuz') => `# ingot: begin
label ingot
  menu label Install lab automatically
  menu default
  kernel ${kernel}
  append ${append}
timeout 50
# ingot: end
`;

test("Debian's menus lose their own defaults and clocks; the main one gets the entry", () => {
  const texts = new Map([
    ['isolinux/isolinux.cfg', 'path \ninclude menu.cfg\ndefault vesamenu.c32\nprompt 0\ntimeout 0\n'],
    ['isolinux/menu.cfg', 'menu hshift 4\ninclude gtk.cfg\ninclude txt.cfg\n'],
    [
      'isolinux/gtk.cfg',
      'default installgui\nlabel installgui\n\tmenu label ^Graphical install\n\tmenu default\n\tkernel /install.amd/vmlinuz\n\tappend vga=788 initrd=/install.amd/gtk/initrd.gz --- quiet\n',
    ],
    [
      'isolinux/txt.cfg',
      'label install\n\tmenu label ^Install\n\tkernel /install.amd/vmlinuz\n\tappend vga=788 initrd=/install.amd/initrd.gz --- quiet\n',
    ],
    [
      'isolinux/spk.cfg',
      'menu autoboot Speech in # second{,s}...\nontimeout /install.amd/vmlinuz x\ntotaltimeout 9000\ntimeout 300\n',
    ],
  ]);
  const edited = editSyslinux(texts, entry);
  expect([...(edited ?? [])].map(([path]) => path)).toEqual([
    'isolinux/isolinux.cfg',
    'isolinux/gtk.cfg',
    'isolinux/spk.cfg',
  ]);
  const line = 'initrd=/install.amd/initrd.gz,/ingot/answers.cpio vga=788 auto=true --- quiet console=ttyS0';
  expect(edited?.get('isolinux/isolinux.cfg')).toBe(
    `path \ninclude menu.cfg\ndefault vesamenu.c32\nprompt 0\n${ours(line)}`,
  );
  expect(edited?.get('isolinux/gtk.cfg')).not.toMatch(/menu default/);
  expect(edited?.get('isolinux/spk.cfg')).toBe('');
});

test('a loader without a menu starts the entry by default', () => {
  const alpine = `SERIAL 0 115200
TIMEOUT 10
PROMPT 1
DEFAULT lts

LABEL lts
MENU LABEL Linux lts
KERNEL /boot/vmlinuz-lts
INITRD /boot/initramfs-lts
APPEND modules=loop,squashfs quiet
`;
  const { answers: _, ...rest } = entry;
  const alpineEntry = { ...rest, kernel: 'boot/vmlinuz-lts', initrd: 'boot/initramfs-lts', words: ['a=1'] };
  const edited = editSyslinux(new Map([['boot/syslinux/syslinux.cfg', alpine]]), alpineEntry);
  expect(edited?.get('boot/syslinux/syslinux.cfg')).toBe(
    alpine.replace('TIMEOUT 10\n', '').replace('DEFAULT lts', 'DEFAULT ingot') +
      ours('initrd=/boot/initramfs-lts modules=loop,squashfs quiet a=1', '/boot/vmlinuz-lts'),
  );
});

test('kernels beside the menu are kept as the menu names them', () => {
  const fedora =
    'default vesamenu.c32\nlabel linux\n  kernel vmlinuz\n  append initrd=initrd.img inst.stage2=hd:LABEL=F quiet\n';
  const { answers: _, ...rest } = entry;
  const kernel = { kernel: 'images/pxeboot/vmlinuz', initrd: 'images/pxeboot/initrd.img', words: ['inst.ks=cdrom'] };
  const edited = editSyslinux(new Map([['isolinux/isolinux.cfg', fedora]]), { ...rest, ...kernel });
  expect(edited?.get('isolinux/isolinux.cfg')).toContain(
    '  kernel vmlinuz\n  append initrd=initrd.img inst.stage2=hd:LABEL=F quiet inst.ks=cdrom\n',
  );
});

test('doing it again changes nothing', () => {
  const texts = new Map([
    ['isolinux.cfg', 'label a\nkernel /install.amd/vmlinuz\nappend initrd=/install.amd/initrd.gz\n'],
  ]);
  const once = editSyslinux(texts, entry) ?? new Map<string, string>();
  expect(once.get('isolinux.cfg')).toContain('default ingot\n');
  expect(editSyslinux(once, entry)).toEqual(new Map());
});

test('menus of another kernel are left alone', () => {
  const texts = new Map([['isolinux/isolinux.cfg', 'label a\nkernel memtest\n']]);
  expect(editSyslinux(texts, entry)).toBeUndefined();
});

test.each([
  ['isolinux/isolinux.cfg', true],
  ['isolinux/txt.cfg', true],
  ['boot/syslinux/syslinux.cfg', true],
  ['syslinux.cfg', true],
  ['boot/grub/grub.cfg', false],
  ['isolinux/f1.txt', false],
])('%s is such a menu: %s', (path, is) => {
  expect(isSyslinux(path)).toBe(is);
});
