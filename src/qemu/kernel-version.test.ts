import { expect, test } from 'vitest';
import { kernelVersionOf } from './kernel-version.ts';

function reading(bytes: Buffer) {
  return {
    read: async (_: string, { offset = 0, length = bytes.length } = {}) => bytes.subarray(offset, offset + length),
  };
}

test('a kernel tells its version where its header says', async () => {
  const kernel = Buffer.alloc(0x4000);
  kernel.write('HdrS', 0x202, 'latin1');
  kernel.writeUInt16LE(0x3000, 0x20e);
  kernel.write('6.1.0-39-amd64 (debian-kernel@lists.debian.org) #1 SMP', 0x3200, 'latin1');
  expect(await kernelVersionOf('/k', reading(kernel))).toBe('6.1.0-39-amd64');
});

test('of other files nothing is said', async () => {
  expect(await kernelVersionOf('/k', reading(Buffer.alloc(0x4000)))).toBeUndefined();
  expect(await kernelVersionOf('/k', reading(Buffer.alloc(7)))).toBeUndefined();
});
