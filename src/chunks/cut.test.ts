import { expect, test } from 'vitest';
import { openChance } from '../../test/support/seed.ts';
import { Cutter, type Piece, usualCut } from './cut.ts';
import { idOf } from './index-file.ts';

const kib = 1024;
const chance = openChance('cutting content');

function noise(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, () => chance.next() * 256));
}

/** Files of different lengths, as a file system lays them out. */
function files(count: number): readonly Buffer[] {
  return Array.from({ length: count }, () => {
    const file = noise(1 + Math.floor(chance.next() * 60 * kib));
    return Buffer.concat([file, Buffer.alloc(4096 - (file.length % 4096))]);
  });
}

function cut(content: Buffer, windows: readonly number[] = [1024 * kib]): readonly Piece[] {
  const cutter = new Cutter();
  const pieces: Piece[] = [];
  for (let at = 0, turn = 0; at < content.length; turn++) {
    const length = windows[turn % windows.length] ?? 64 * kib;
    pieces.push(...cutter.add(content.subarray(at, at + length)));
    at += length;
  }
  return [...pieces, ...cutter.end()];
}

const bytesOf = (piece: Piece) => ('data' in piece ? piece.data : Buffer.alloc(piece.zeros));

test('the pieces are the content, none longer than allowed', () => {
  const content = Buffer.concat([...files(60), Buffer.alloc(300 * kib), noise(1_000_003)]);
  const pieces = cut(content);
  expect(Buffer.concat(pieces.map(bytesOf)).equals(content)).toBe(true);
  const data = pieces.flatMap((piece) => ('data' in piece ? [piece.data.length] : []));
  expect(Math.max(...data)).toBeLessThanOrEqual(usualCut.most);
});

test('how the content comes does not matter', () => {
  const content = Buffer.concat([...files(40), Buffer.alloc(256 * kib), ...files(10)]);
  expect(cut(content, [64 * kib])).toEqual(cut(content, [192 * kib, 1024 * kib, 64 * kib]));
});

test('a hole of a file and zeros that were written are the same', () => {
  const [front, back] = [noise(128 * kib), noise(128 * kib)];
  const holed = new Cutter();
  const pieces = [...holed.add(front), ...holed.skip(40 * 1024 * kib), ...holed.add(back), ...holed.end()];
  expect(cut(Buffer.concat([front, Buffer.alloc(40 * 1024 * kib), back]))).toEqual(pieces);
  expect(pieces.filter((piece) => 'zeros' in piece).map(({ zeros }) => zeros / kib / 1024)).toEqual([16, 16, 8]);
});

test('what is put into the middle changes the chunks around it alone', () => {
  const all = files(200);
  const [before, behind] = [Buffer.concat(all.slice(0, 80)), Buffer.concat(all.slice(80))];
  const ids = (content: Buffer) => cut(content).map((piece) => idOf(bytesOf(piece)));
  const old = new Set(ids(Buffer.concat([before, behind])));
  const fresh = ids(Buffer.concat([before, ...files(1), behind])).filter((id) => !old.has(id));
  expect(fresh.length).toBeLessThan(20);
  expect(old.size).toBeGreaterThan(150);
});
