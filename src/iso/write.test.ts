import { expect, test } from 'vitest';
import type { IsoFacts } from './facts.ts';
import { writeIsoArgv, writeIsoEnv } from './write.ts';

const facts: IsoFacts = {
  volumeId: 'Debian 12 amd64 n',
  modified: '2026112115565700',
  epoch: 1795276617,
  files: new Set(['boot/grub/grub.cfg']),
  bootImages: ['isolinux/isolinux.bin'],
  bios: true,
  efi: undefined,
  gptGuid: '0e1de7f1c518d14fb67985c3a792ed9e',
};

test('files are put in as root owns them, at the time of the ISO, with the folders they need', () => {
  const files = [
    ['boot/grub/grub.cfg', '/w/1'],
    ['ingot/answers.cpio', '/w/2'],
  ] as const;
  const argv = writeIsoArgv({ iso: '/in.iso', output: '/out.iso', facts, joliet: true, files });
  const paths = ['/boot/grub/grub.cfg', '/ingot/answers.cpio', '/ingot'];
  expect(argv).toEqual([
    ...'xorriso -no_rc -abort_on FAILURE -return_with SORRY 32 -iso_rr_pattern off -disk_pattern off'.split(' '),
    ...'-stdio_sync off -compliance no_emul_toc'.split(' '),
    ...'-indev /in.iso -outdev stdio:/out.iso -joliet on -boot_image any replay -volid'.split(' '),
    ...['Debian 12 amd64 n', '-volume_date', 'uuid', '2026112115565700'],
    ...['-boot_image', 'any', 'gpt_disk_guid=0e1de7f1c518d14fb67985c3a792ed9e'],
    ...['-padding', 'included'],
    ...['-map', '/w/1', '/boot/grub/grub.cfg', '-map', '/w/2', '/ingot/answers.cpio'],
    ...[
      '-chown',
      '0',
      ...paths,
      '--',
      '-chgrp',
      '0',
      ...paths,
      '--',
      '-alter_date',
      'b',
      '=1795276617',
      ...paths,
      '--',
    ],
    ...['-chmod', '0444', '/boot/grub/grub.cfg', '/ingot/answers.cpio', '--', '-chmod', '0555', '/ingot', '--'],
    ...['-commit', '-end'],
  ]);
});

test('another file system for UEFI takes the place of the partition', () => {
  const efi = { partition: 2, type: '0xef', from: '/w/efi.img' };
  const argv = writeIsoArgv({ iso: '/in.iso', output: '/out.iso', facts, joliet: false, files: [], efi });
  expect(argv.join(' ')).toContain(
    '=0e1de7f1c518d14fb67985c3a792ed9e -padding included -append_partition 2 0xef /w/efi.img -commit -end',
  );
  expect(argv).not.toContain('-chown');
});

test('the clock is that of the ISO', () => {
  expect(writeIsoEnv(facts)).toEqual({ SOURCE_DATE_EPOCH: '1795276617', TZ: 'UTC' });
});
