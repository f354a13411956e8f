import { expect, test } from 'vitest';
import { forgetSystemText, sealScript } from './seal.ts';

/** What the programs of a script take away, each pattern a word. */
function takenAway(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.startsWith('rm -rf '));
  return lines.flatMap((line) => line.split(' ').slice(2));
}

test.each([
  ['ssh host keys', '/etc/ssh/ssh_host_*_key.pub'],
  ['the random seed', '/var/lib/systemd/random-seed'],
  ['what cloud-init knew', '/var/lib/cloud/instance'],
  ['leases', '/var/lib/dhcp/*.leases'],
  ['who it is to DHCP servers', '/var/lib/dhcpcd/*'],
  ['shell history', '/root/.bash_history'],
  ['package lists', '/var/lib/apt/lists'],
  ['copies of passwords', '/etc/shadow-'],
  ["the log and answers of Debian's installer", '/var/log/installer'],
  ["the answers of Ubuntu's installer", '/etc/cloud/cloud.cfg.d/99-installer.cfg'],
  ["the answers of Fedora's installer", '/root/anaconda-ks.cfg'],
  ['answers that an installer of Fedora was given', '/root/original-ks.cfg'],
])('sealing takes away %s, on both benches', (_, pattern) => {
  expect(takenAway(sealScript('x86_64', 'ext4').text)).toContain(pattern);
  expect(takenAway(forgetSystemText([]))).toContain(pattern);
});

test('sealing empties the id of the machine and the logs, and takes no folder that has to stay', () => {
  for (const text of [sealScript('x86_64', 'ext4').text, forgetSystemText(['/own/*'])]) {
    expect(text).toContain(': > /etc/machine-id\n');
    expect(text).toContain('find /var/log -type f -delete');
    for (const path of takenAway(text)) expect(path).toMatch(/^\/[^/]+\/[^/]/);
  }
  expect(takenAway(forgetSystemText(['/own/*']))).toContain('/own/*');
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
