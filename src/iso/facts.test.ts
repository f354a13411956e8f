import { expect, test } from 'vitest';
import { extractArgv, factsArgv, readFacts } from './facts.ts';

// As xorriso 1.5.4 tells.
const debian = `El Torito catalog  : 38  1
El Torito cat path : /isolinux/boot.cat
El Torito images   :   N  Pltf  B   Emul  Ld_seg  Hdpt  Ldsiz         LBA
El Torito boot img :   1  BIOS  y   none  0x0000  0x00      4        2087
El Torito boot img :   2  UEFI  y   none  0x0000  0x00   8192          39
El Torito img path :   1  /isolinux/isolinux.bin
El Torito img opts :   1  boot-info-table isohybrid-suitable
El Torito img path :   2  /boot/grub/efi.img
MBR partition table:   N Status  Type        Start       Blocks
MBR partition      :   1   0x80  0x00            0       106496
MBR partition      :   2   0x00  0xef          156         8192
PVD address  : 16s
Volume Id    : Debian 12 amd64 n
Creation Time: 2026112115565700
Modif. Time  : 2026112115565700
'/.disk/info'
'/isolinux/isolinux.bin'
'/it'"'"'s here'
`;

const ubuntu = `El Torito boot img :   1  BIOS  y   none  0x0000  0x00      4          67
El Torito boot img :   2  UEFI  y   none  0x0000  0x00   8192       24083
El Torito img path :   1  /boot/grub/eltorito.img
El Torito img blks :   2  2048
MBR partition      :   1   0x00  0xee            1       105187
GPT disk GUID      :      0e1de7f1c518d14fb67985c3a792ed9e
GPT type GUID      :   1  a2a0d0ebe5b9334487c068b6b72699c7
GPT start and size :   1  64  96268
GPT type GUID      :   2  28732ac11ff8d211ba4b00a0c93ec93b
GPT start and size :   2  96332  10240
Volume Id    : Ubuntu-Server
Modif. Time  : 2025080512000000
`;

test('an ISO with the file system of UEFI among its files', () => {
  expect(readFacts(debian)).toEqual({
    volumeId: 'Debian 12 amd64 n',
    modified: '2026112115565700',
    epoch: Date.UTC(2026, 10, 21, 15, 56, 57) / 1000,
    files: new Set(['.disk/info', 'isolinux/isolinux.bin', "it's here"]),
    bootImages: ['isolinux/isolinux.bin', 'boot/grub/efi.img'],
    bios: true,
    efi: { offset: 39 * 2048, bytes: 8192 * 512, path: 'boot/grub/efi.img' },
  });
});

test('an ISO with the file system of UEFI behind its files: the table of partitions says how long it is', () => {
  expect(readFacts(ubuntu)?.gptGuid).toBe('0e1de7f1c518d14fb67985c3a792ed9e');
  expect(readFacts(ubuntu)?.efi).toEqual({
    offset: 24083 * 2048,
    bytes: 10240 * 512,
    partition: 2,
    type: '28732ac11ff8d211ba4b00a0c93ec93b',
  });
});

test('what is no ISO has no facts', () => {
  expect(readFacts('')).toBeUndefined();
  expect(readFacts('Volume Id    : ISOIMAGE\nModif. Time  :                 \n')).toBeUndefined();
});

test('xorriso is asked without the settings of its user', () => {
  expect(factsArgv('/x.iso')).toEqual(
    'xorriso -no_rc -indev /x.iso -report_el_torito plain -report_system_area plain -pvd_info -find / -type f -- -end'.split(
      ' ',
    ),
  );
  expect(extractArgv('/x.iso', [['boot/a b', '/tmp/1']])).toEqual([
    ...'xorriso -no_rc -osirrox on -indev /x.iso -extract_single'.split(' '),
    ...['/boot/a b', '/tmp/1', '-end'],
  ]);
});
