import { expect, test } from 'vitest';
import { type LiveMenu, liveMenu } from './menu.ts';

const menu: LiveMenu = {
  name: "rescue (Debian's 13)",
  words: ['console=ttyS0,115200n8', 'a=$b;c'],
  persistence: 'persistence',
  first: 'live',
  timeoutSeconds: 5,
  serial: true,
};

test('a menu has an entry for each way to run, and one that checks the medium', () => {
  expect(liveMenu(menu)).toBe(`# Written by Ingot.
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
if [ -n "$iso_path" ]; then
  set from="findiso=$iso_path"
fi
set default=live
set timeout_style=menu
set timeout=5
menuentry 'rescue (Debian'\\''s 13), live' --id live {
  linux /live/vmlinuz boot=live console=ttyS0,115200n8 'a=$b;c' $from
  initrd /live/initrd.img
}
menuentry 'rescue (Debian'\\''s 13), copied to memory' --id toram {
  linux /live/vmlinuz boot=live toram console=ttyS0,115200n8 'a=$b;c' $from
  initrd /live/initrd.img
}
menuentry 'rescue (Debian'\\''s 13), changes kept' --id persistence {
  linux /live/vmlinuz boot=live persistence persistence-label=persistence console=ttyS0,115200n8 'a=$b;c' $from
  initrd /live/initrd.img
}
menuentry 'Check this medium, then restart' --id check {
  linux /live/vmlinuz boot=live verify-checksums=sha256 console=ttyS0,115200n8 'a=$b;c' $from
  initrd /live/initrd.img
}
`);
});

test('without persistence there is no such entry; another default starts by itself', () => {
  const text = liveMenu({ ...menu, persistence: undefined, first: 'toram', timeoutSeconds: 0, serial: false });
  expect(text.match(/--id \w+/g)).toEqual(['--id live', '--id toram', '--id check']);
  expect(text).toContain('set default=toram\nset timeout_style=menu\nset timeout=0\n');
  expect(text).not.toContain('serial');
});
