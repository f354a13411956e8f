import { expect, test } from 'vitest';
import { bytesMoved } from './activity.ts';

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
