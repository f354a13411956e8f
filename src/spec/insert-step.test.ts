import { expect, test } from 'vitest';
import { insertStep, stepLine } from './insert-step.ts';

const step = { shell: 'scripts/new.sh' };

/** The lines that were added, with their numbers; fails when anything else changed. */
function added(text: string, index: number): readonly string[] | undefined {
  const inserted = insertStep(text, index, step);
  if (inserted === undefined) return undefined;
  const [before, after] = [text, inserted.text].map((one) => one.replace(/\r?\n$/, '').split('\n'));
  const lines = [...(after ?? [])];
  const extra = lines.length - (before?.length ?? 0);
  const removed = lines.splice(inserted.line - extra, extra);
  expect(lines).toEqual(before);
  return removed.map((line, at) => `${inserted.line - extra + 1 + at}${line}`);
}

const image = `# An image
description: "Web"   # with a comment
steps:
  # the first
  - packages: [jq,   tree]   # wide

  # why this is here
  - shell:
      run: |
        echo one

        echo two

  - copy: { content: "- a",
            to: /etc/a }
formats: [qcow2]
`;

test.each([
  [0, ['4  - shell: scripts/new.sh']],
  [1, ['6  - shell: scripts/new.sh']],
  [2, ['13  - shell: scripts/new.sh']],
  [3, ['16  - shell: scripts/new.sh']],
])('a step is put before the one at %i, and its comment stays above it', (index, lines) => {
  expect(added(image, index)).toEqual(lines);
});

test.each<[string, string, number, readonly string[]]>([
  ['as far in as its neighbours', 'steps:\n- upgrade: true\n', 1, ['3- shell: scripts/new.sh']],
  ['with the line ends of the file', 'steps:\r\n - upgrade: true\r\n', 0, ['2 - shell: scripts/new.sh\r']],
  ['after a last line without an end', 'steps:\n  - upgrade: true', 1, ['3  - shell: scripts/new.sh']],
  ['into a file without steps', 'source: { image: a }\n', 0, ['2steps:', '3  - shell: scripts/new.sh']],
  ['after a comment at the end of its line', 'steps:\n  - a: 1 # x\n  # y\n', 1, ['3  - shell: scripts/new.sh']],
])('a step is written %s', (_, text, index, lines) => {
  expect(added(text, index)).toEqual(lines);
});

test.each([
  ['in one line', 'steps: [{ upgrade: true }]\n', 1],
  ['empty', 'steps: []\n', 0],
  ['nothing', 'steps:\nformats: [qcow2]\n', 0],
  ['shorter than that', 'steps:\n  - upgrade: true\n', 2],
  ['followed by the end of the document', 'source: { image: a }\n...\n', 0],
  ['broken', 'steps: [\n', 0],
])('a list that is %s is left alone', (_, text, index) => {
  expect(insertStep(text, index, step)).toBeUndefined();
});

test('a path that YAML would take for something else is quoted', () => {
  expect(stepLine({ shell: 'scripts/a: b #c.sh' })).toBe('- shell: "scripts/a: b #c.sh"');
});
