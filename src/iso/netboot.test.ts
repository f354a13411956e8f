import { expect, test } from 'vitest';
import { grubScript, ipxeScript, netbootOf } from './netboot.ts';

test('the script finds what lies beside it, and tells the kernel the name of its initrd', () => {
  expect(ipxeScript('Installs lab', ['priority=critical', '---', 'console=ttyS0'])).toBe(`#!ipxe
# Installs lab. What boots it loses what is on its disk.
kernel vmlinuz initrd=initrd.img priority=critical --- console=ttyS0
initrd initrd.img
boot
`);
});

test('GRUB finds them where its file is, and takes no letter of a word for its own', () => {
  expect(grubScript('Installs lab', ['autoinstall', 'ds=nocloud;s=http://h/lab/', "a=${b}'c", '---', 'quiet'])).toBe(
    `# Installs lab. What boots it loses what is on its disk.
linux "$config_directory/vmlinuz" autoinstall 'ds=nocloud;s=http://h/lab/' 'a=\${b}'\\''c' --- quiet
initrd "$config_directory/initrd.img"
boot
`,
  );
});

test('words that iPXE would take for its settings are refused', () => {
  expect(() => ipxeScript('x', ['a=${b}'])).toThrow('cannot stand in a script of iPXE');
});

test('Ubuntu fetches its ISO and its answers; Proxmox VE is not started this way', () => {
  const ubuntu = netbootOf('ubuntu');
  expect([ubuntu?.answers, ubuntu?.isoBeside, ubuntu?.fromIso]).toEqual(['url', true, true]);
  expect(ubuntu?.words('http://h/lab.iso')).toContain('url=http://h/lab.iso');
  expect(netbootOf('proxmox')).toBeUndefined();
});
