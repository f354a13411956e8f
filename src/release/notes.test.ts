import { expect, test } from 'vitest';
import { mergeNotes, sectionOf } from './notes.ts';

const sections = (entries: Readonly<Record<string, string | undefined>>) => new Map(Object.entries(entries));

test('sections come behind what a person wrote, and are written anew in their places', () => {
  const first = mergeNotes('Hello.\r\n', sections({ a: 'A1', b: 'B1' }));
  expect(first).toBe('Hello.\n\n<!-- ingot:a -->\nA1\n<!-- /ingot:a -->\n\n<!-- ingot:b -->\nB1\n<!-- /ingot:b -->');
  const second = mergeNotes(`${first}\n\nBye.`, sections({ a: 'A2' }));
  expect(second).toBe(first.replace('A1', 'A2').concat('\n\nBye.'));
});

test('a section that is taken out leaves nothing behind', () => {
  const notes = mergeNotes('', sections({ a: 'A', b: 'B' }));
  expect(mergeNotes(notes, sections({ a: undefined }))).toBe('<!-- ingot:b -->\nB\n<!-- /ingot:b -->');
  expect(mergeNotes(notes, sections({ a: undefined, b: undefined, c: undefined }))).toBe('');
});

test('notes are never longer than GitHub takes', () => {
  const lines = Array.from({ length: 50_000 }, (_, i) => `- package ${i}`);
  const texts = ['a', 'b', 'c'].map((name) => [name, sectionOf(lines, 3)] as const);
  const notes = mergeNotes('', new Map(texts));
  expect(notes.length).toBeLessThan(125_000);
  expect(notes.match(/more lines: `ingot diff --markdown` shows them/g)?.length).toBe(3);
  expect(notes).toContain('<!-- /ingot:c -->');
  expect(sectionOf(['one', 'two'], 3)).toBe('one\ntwo');
});
