import { expect, test } from 'vitest';
import { usualCut } from './cut.ts';
import { type ChunkIndex, idOf, indexBytes, parseIndex } from './index-file.ts';

const chunk = (contentBytes: number, frameBytes: number) => ({
  ...{ contentBytes, frameBytes },
  ...{ contentId: idOf(Buffer.from(`c${contentBytes}`)), frameId: idOf(Buffer.from(`f${frameBytes}`)) },
});
const index: ChunkIndex = {
  ...{ bytes: 300, sha256: 'a'.repeat(64), contentBytes: 7000, cut: usualCut, level: 3 },
  chunks: [chunk(4000, 100), chunk(3000, 200)],
};

test('an index is read as it was written', () => {
  expect(parseIndex(indexBytes(index), 'x')).toEqual(index);
});

const line = (change: Readonly<Record<string, unknown>>) => {
  const written = indexBytes(index);
  const end = written.indexOf('\n');
  const head = { ...(JSON.parse(written.subarray(0, end).toString()) as object), ...change };
  return Buffer.concat([Buffer.from(JSON.stringify(head)), written.subarray(end)]);
};

test.each([
  ['nothing', Buffer.alloc(0), 'no list of chunks'],
  ['a page', Buffer.from('<html>\n'), 'no list of chunks'],
  ['another version', line({ schemaVersion: 2 }), 'no list of chunks'],
  ['a part', indexBytes(index).subarray(0, -1), 'not whole'],
  ['more than it says', Buffer.concat([indexBytes(index), Buffer.alloc(1)]), 'not whole'],
  ['a count that nothing holds', line({ chunks: 2 ** 50 }), 'not whole'],
  ['lengths of another file', line({ bytes: 301 }), 'do not make the file'],
  ['another content', line({ contentBytes: 1 }), 'do not make the file'],
  ['huge chunks', line({ cut: { ...usualCut, zeros: 2 ** 40 } }), 'too large'],
  ['chunks larger than it says', line({ cut: { ...usualCut, most: 100, zeros: 100 } }), 'too large'],
])('%s is refused', (_, bytes, why) => {
  expect(() => parseIndex(bytes, 'x.chunks')).toThrow(expect.objectContaining({ code: 'INPUT_REFUSED' }) as Error);
  expect(() => parseIndex(bytes, 'x.chunks')).toThrow(why);
});
