import { expect, test } from 'vitest';
import { sealScript } from './seal.ts';

test.each([
  ['machine-id', ': > /etc/machine-id'],
  ['ssh host keys', '/etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub'],
  ['the random seed', 'rm -f /var/lib/systemd/random-seed'],
  ['what cloud-init knew', 'rm -rf /var/lib/cloud/instance '],
  ['leases', '/var/lib/dhcp/*.leases'],
  ['logs', 'find /var/log -type f -delete'],
  ['shell history', 'rm -f /root/.bash_history'],
  ['package lists', 'rm -rf /var/lib/apt/lists '],
])('sealing takes away %s', (_, words) => {
  expect(sealScript('x86_64', 'ext4').text).toContain(words);
});

test.each([
  ['x86_64', 'ext4', 'ttyS0,115200n8', 1],
  ['aarch64', 'xfs', 'ttyAMA0,115200n8', 0],
] as const)(
  'on %s with %s the console is %s and the root is checked at boot in pass %d',
  (arch, filesystem, console, pass) => {
    const { text } = sealScript(arch, filesystem);
    expect(text).toContain(`console=tty0 console=${console}`);
    expect(text).toContain(`LABEL=root / ${filesystem} defaults,noatime,x-systemd.growfs 0 ${pass}\\n`);
  },
);

test('the menu talks to the serial line on x86_64, and firmware does it on aarch64', () => {
  expect(sealScript('x86_64', 'ext4').text).toContain('serial --unit=0 --speed=115200\n');
  expect(sealScript('aarch64', 'ext4').text).not.toContain('serial --unit');
});

test('what an image brings itself is kept: fstab, command line, menu', () => {
  const { text, interpreter } = sealScript('x86_64', 'ext4');
  expect(text).toContain('if [ ! -s /etc/fstab ] || grep -q UNCONFIGURED /etc/fstab; then');
  expect(text).toContain('if [ ! -s /etc/kernel/cmdline ]; then');
  expect(text).toContain('if [ ! -e /boot/grub/grub.cfg ]; then');
  expect(interpreter).toEqual(['/bin/sh', '-eu']);
});
