import { expect, test } from 'vitest';
import { bytesMoved, bytesWritten } from './activity.ts';

test('what all drives read and wrote is added up', () => {
  // As QEMU 7.2 says it, shortened.
  const drive = (read: number, written: number) => ({
    'node-name': 'disk',
    qdev: '/machine/peripheral-anon/device[1]/virtio-backend',
    stats: { rd_bytes: read, wr_bytes: written, flush_operations: 3 },
    parent: { stats: { rd_bytes: 9000, wr_bytes: 9000 } },
  });
  expect(bytesMoved([drive(1, 20), drive(300, 4000)])).toBe(4321);
  expect(bytesMoved([])).toBe(0);
});

test('what was written to one drive is told apart', () => {
  const drive = (name: string, written: number) => ({ 'node-name': name, stats: { rd_bytes: 7, wr_bytes: written } });
  expect(bytesWritten([drive('cdrom0', 0), drive('disk', 512)], 'disk')).toBe(512);
  expect(bytesWritten([drive('uefi-vars', 512)], 'disk')).toBe(0);
});
