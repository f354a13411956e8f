import { expect, test } from 'vitest';
import { withContentId } from './vmdk.ts';

/** As QEMU leaves it: a first id, and a second one written over it with what comes behind. */
function description(first: string, second: string): Buffer {
  const text = (id: string) =>
    `# Disk DescriptorFile\nversion=1\nCID=${id}\nparentCID=ffffffff\nddb.toolsVersion = "1"\n`;
  const bytes = Buffer.alloc(512);
  bytes.write(text(first), 'latin1');
  bytes.write(`${text(second)}\0`, 'latin1');
  return bytes;
}

test.each(['89abcdef', '9abcdef', 'abcdef', 'f'])('nothing is left of the random content id %s', (second) => {
  expect(withContentId(description('12345678', second), 0xab)).toEqual(description('000000ab', '000000ab'));
});

test.each([0, 0xffffffff])('the content id %i, which says something else, is not given', (id) => {
  expect(withContentId(description('1', '2'), id)).toEqual(description('00000001', '00000001'));
});
