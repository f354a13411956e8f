import { expect, test } from 'vitest';
import { answerSplitter, lineSplitter } from './lines.ts';

function split(...chunks: readonly (string | Buffer)[]): readonly string[] {
  const lines: string[] = [];
  const splitter = lineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.add(Buffer.from(chunk));
  splitter.end();
  return lines;
}

test.each<[string, readonly (string | Buffer)[], readonly string[]]>([
  ['lines over several chunks', ['on', 'e\ntw', 'o\n'], ['one', 'two']],
  ['a last line without an end', ['one\ntwo'], ['one', 'two']],
  ['each state of a progress bar', ['10%\r20%\r\n'], ['10%', '20%']],
  ['no empty lines', ['\n\na\n\n'], ['a']],
  ['a letter cut in two', [Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a])], ['é']],
  ['control characters, shown', ['a\u0007b\u001b[31mred\u001b[0m\n'], ['a\\x07bred']],
  ['nothing', [], []],
])('a stream gives %s', (_, chunks, lines) => {
  expect(split(...chunks)).toEqual(lines);
});

test('a stream without line ends is told in pieces and never kept whole', () => {
  const lines = split(...Array.from({ length: 100 }, () => 'x'.repeat(1000)));
  expect(lines.length).toBeGreaterThan(10);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(4096);
});

test('data keeps every character, up to a MiB a line', () => {
  const lines: string[] = [];
  const splitter = answerSplitter((line) => lines.push(line));
  const long = 'x'.repeat(500_000);
  for (const text of ['{"a":"\u009b\u001b"}\n', long, '\nlast']) splitter.add(Buffer.from(text));
  splitter.end();
  expect(lines).toEqual(['{"a":"\u009b\u001b"}', long, 'last']);
});
