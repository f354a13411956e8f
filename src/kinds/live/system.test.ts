import { expect, test } from 'vitest';
import { liveFstab, liveWords, modulesIn } from './system.ts';

test('words about a disk are left out, all others are kept', () => {
  const line = 'BOOT_IMAGE=/vmlinuz root=LABEL=root rootflags=x ro console=tty0  console=ttyS0,115200n8 quiet a.b=1';
  expect(liveWords(line)).toEqual(['console=tty0', 'console=ttyS0,115200n8', 'quiet', 'a.b=1']);
});

test('an fstab keeps what is not of the disk that the image was', () => {
  const text = `# mine
LABEL=root / ext4 defaults,x-systemd.growfs 0 1
LABEL=ESP /boot/efi vfat umask=0077,nofail 0 0
/dev/sda3 none swap sw 0 0
server:/data /srv nfs defaults 0 0
`;
  expect(liveFstab(text)).toBe('# mine\nserver:/data /srv nfs defaults 0 0\n');
});

test('modules are named with a dash or an underscore, packed or built in', () => {
  const text = 'kernel/drivers/usb/storage/usb-storage.ko.xz: kernel/x/y.ko.xz\nkernel/fs/overlayfs/overlay.ko\n';
  expect([...modulesIn(text)]).toEqual(['usb-storage', 'overlay']);
});
