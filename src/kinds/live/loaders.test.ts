import { expect, test } from 'vitest';
import { coreArgv, earlyConfig, espArgvs, type WriteLive, writeLiveArgv } from './loaders.ts';

const at = { modules: '/w/m', config: '/w/early.cfg', output: '/w/out' };
const modules =
  'part_gpt part_msdos iso9660 fat search search_fs_file linux normal configfile terminal boot echo test ls cat minicmd';

test.each([
  ['bios', 'i386-pc-eltorito', 'biosdisk serial'],
  ['x86_64', 'x86_64-efi', 'efi_gop serial'],
  ['aarch64', 'arm64-efi', 'efi_gop'],
] as const)('GRUB for %s is made as %s', (platform, format, extra) => {
  const line = `grub-mkimage -O ${format} -d /w/m -c /w/early.cfg -p /boot/grub -o /w/out ${modules} ${extra}`;
  expect(coreArgv(platform, at).join(' ')).toBe(line);
});

test('GRUB looks for the very ISO that it came with', () => {
  expect(earlyConfig('abc')).toBe('search.file /.disk/abc.uuid root\nset prefix=($root)/boot/grub\n');
});

test('the file system for UEFI has room for its loaders', () => {
  const files = new Map([
    ['EFI/BOOT/BOOTX64.EFI', '/w/shim'],
    ['EFI/debian/grub.cfg', '/w/early.cfg'],
  ]);
  const argvs = espArgvs('/w/efi.img', files, { bytes: 3_000_000, serial: 'cafe0123' });
  expect(argvs.map((argv) => argv.join(' '))).toEqual([
    'mformat -C -T 8192 -h 64 -s 32 -v ESP -N cafe0123 -i /w/efi.img ::',
    'mmd -i /w/efi.img ::/EFI ::/EFI/BOOT ::/EFI/debian',
    'mcopy -m -i /w/efi.img /w/shim ::/EFI/BOOT/BOOTX64.EFI',
    'mcopy -m -i /w/efi.img /w/early.cfg ::/EFI/debian/grub.cfg',
  ]);
});

const request: WriteLive = {
  ...{ output: '/w/x.iso', volumeId: 'RESCUE', epoch: 1_763_600_000 },
  guid: '6f1d054f-3fc0-8a9b-8a91-b096b260d64f',
  files: new Map([
    ['live/vmlinuz', '/w/vmlinuz'],
    ['boot/grub/eltorito.img', '/w=1/eltorito.img'],
  ]),
  bios: { path: 'boot/grub/eltorito.img', firstSector: '/w/boot_hybrid.img' },
  efi: '/w/efi.img',
};
const head =
  'xorriso -no_rc -as mkisofs -quiet -iso-level 3 -r -V RESCUE -o /w/x.iso --modification-date=2025112000532000 --set_all_file_dates =1763600000 -partition_offset 16 --gpt_disk_guid 6f1d054f3fc08a9b8a91b096b260d64f';
const bios = '--grub2-mbr /w/boot_hybrid.img --mbr-force-bootable';
const efi = '-append_partition 2 C12A7328-F81F-11D2-BA4B-00A0C93EC93B /w/efi.img -appended_part_as_gpt';
const cdBios = '-b boot/grub/eltorito.img -no-emul-boot -boot-load-size 4 -boot-info-table --grub2-boot-info';
const cdEfi = '-e --interval:appended_partition_2:all:: -no-emul-boot';
const tail = '-graft-points live/vmlinuz=/w/vmlinuz boot/grub/eltorito.img=/w\\=1/eltorito.img';

test('an ISO boots as a CD and as a disk, under both firmwares or under one', () => {
  const line = (one: WriteLive) => writeLiveArgv(one).join(' ');
  const { bios: _, ...uefi } = request;
  const { efi: __, ...old } = request;
  expect(line(request)).toBe(`${head} ${bios} ${efi} -c boot/boot.cat ${cdBios} -eltorito-alt-boot ${cdEfi} ${tail}`);
  expect(line(uefi)).toBe(`${head} ${efi} -c boot/boot.cat ${cdEfi} ${tail}`);
  expect(line(old)).toBe(`${head} ${bios} -c boot/boot.cat ${cdBios} ${tail}`);
});
