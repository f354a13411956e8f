import { execFileSync } from 'node:child_process';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type FrameAt, frameOf, framesIn, usualLevel } from './frames.ts';

const text = Buffer.from('a line of text\n'.repeat(5000));

async function frames(file: Buffer): Promise<readonly FrameAt[]> {
  const read = async (offset: number, length: number) => file.subarray(offset, offset + length);
  const found: FrameAt[] = [];
  for await (const frame of framesIn(read, file.length)) found.push(frame);
  return found;
}

test('frames are found by their lengths, of whoever made them', async () => {
  const contents = [text, Buffer.alloc(3_000_000), Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(70_000, 'ab')];
  const made = await Promise.all(contents.map((content) => frameOf(content, usualLevel)));
  const program = execFileSync('zstd', ['-q', '-c', '--no-check'], { input: text });
  const note = Buffer.concat([Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('any')]);
  const all = [...made, program, note, zstdCompressSync(text)];
  const file = Buffer.concat(all);
  expect((await frames(file)).map(({ bytes }) => bytes)).toEqual(all.map(({ length }) => length));
  expect(zstdDecompressSync(file).equals(Buffer.concat([...contents, text, text]))).toBe(true);
});

test('a file that is cut off ends with its last whole frame; what is no zstd has none', async () => {
  const one = await frameOf(text, usualLevel);
  const file = Buffer.concat([one, one]);
  for (const end of [one.length + 1, one.length + 7, one.length + 30, file.length - 1]) {
    expect(await frames(file.subarray(0, end))).toEqual([{ offset: 0, bytes: one.length }]);
  }
  expect(await frames(text)).toEqual([]);
  expect(await frames(Buffer.alloc(0))).toEqual([]);
});

test('the same bytes give the same frame', async () => {
  expect(await frameOf(text, usualLevel)).toEqual(await frameOf(Buffer.from(text), usualLevel));
});
