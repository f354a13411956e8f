import { expect, test } from 'vitest';
import { readDocument, refusedDocument } from './document.ts';
import { plain } from './node.ts';

function read(text: string) {
  const { root, problems } = readDocument('images/a.yaml', '/p/images/a.yaml', text).content();
  return {
    data: root === undefined ? undefined : plain(root),
    problems: problems.map(({ message, place }) => `${place.line}:${place.column} ${message}`),
  };
}

test.each<[string, string, unknown]>([
  ['words that YAML 1.1 would take for booleans', 'a: on\nb: no\nc: y\n', { a: 'on', b: 'no', c: 'y' }],
  ['numbers as keys', '1.10: x\n', { '1.10': 'x' }],
  ['an anchor used once', 'a: &x [1, 2]\nb: *x\n', { a: [1, 2], b: [1, 2] }],
  ['Windows line ends', 'a: 1\r\nb: |\r\n  x\r\n', { a: 1, b: 'x\n' }],
  ['a byte order mark', '\u{feff}a: 1\n', { a: 1 }],
  ['a date', 'a: 2026-01-31\n', { a: '2026-01-31' }],
  ['an empty value', 'a:\nb: [,]\n', undefined],
  ['an empty file', '# only a comment\n', undefined],
  ['a plain tag', 'a: !!str 1\n', { a: '1' }],
  ['shell and YAML characters in quotes', `a: "'; rm -rf / #\\n\\u001b[2J"\n`, { a: "'; rm -rf / #\n\u001b[2J" }],
])('%s: read as the text says', (_, text, data) => {
  expect(read(text).data).toEqual(data);
});

test.each([
  ['a: 1\nb: 2\na: 3\n', '3:1 the key "a" is here twice'],
  ['a: {b: 1, b: 2}\n', '1:11 the key "b" is here twice'],
  ['a: 1\n__proto__: {polluted: yes}\n', '2:1 unknown key "__proto__"'],
  ['a: {constructor: {prototype: 1}}\n', '1:5 unknown key "constructor"'],
  ['<<: {a: 1}\n', '1:1 YAML merge keys (<<) are not used here'],
  ['? [a, b]\n: 1\n', '1:3 a key must be one word'],
  ['a: !!binary aGk=\n', '1:13 YAML tags are not used here: tag:yaml.org,2002:binary'],
  ['a: !!js/function "x"\n', '1:18 YAML tags are not used here: tag:yaml.org,2002:js/function'],
  ['a: !evil {b: 1}\n', '1:10 YAML tags are not used here: !evil'],
  ['%YAML 1.1\n---\na: on\n', '1:1 YAML directives (%) are not used here'],
  ['a: 1\n---\nb: 2\n', '2:1 a spec file holds one document; there is a second one after "---"'],
  ['a: *nothing\n', '1:4 no anchor "&nothing" in this file'],
  ['a: &x [*x]\n', '1:8 the alias "*x" holds itself'],
  ['a: .inf\n', '1:4 .inf is not a number that can be kept exactly'],
  ['a: 12345678901234567890\n', '1:4 12345678901234567890 is not a number that can be kept exactly'],
  ['a: "open\n', '2:1 not valid YAML: missing closing "quote'],
  [
    'a: [1, 2\n',
    '2:1 not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  ['a: b: c\n', '1:4 not valid YAML: nested mappings are not allowed in compact mappings'],
  ['a:\n\t- 1\n', '2:1 not valid YAML: tabs are not allowed as indentation'],
  ['ab\0c: 1\n', '1:3 this file has a NUL byte; it is not text'],
])('%j is refused at its place', (text, problem) => {
  expect(read(text).problems).toContain(problem);
});

test('a mistake in one place leaves the rest to be judged; one that leaves it unclear does not', () => {
  const small = read('a: 1\na: 2\n__proto__: 3\n[x]: 4\nb: .inf\n');
  expect(small.data).toEqual({ a: 1, b: '.inf' });
  expect(small.problems).toHaveLength(4);
  for (const text of ['a: 1\n<<: {b: 2}\n', 'a: !x 1\n', 'a: [1\n', 'a: 1\n---\nb: 1\n']) {
    expect(read(text).data).toBeUndefined();
  }
});

const aliasBomb = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
  ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(3).fill(`*a${i}`).join(', ')}]`),
].join('\n');

const longListOften = `a: &a [${Array(5000).fill('x').join(', ')}]\nb: [${Array(20).fill('*a').join(', ')}]\n`;

const hostile: readonly [string, string, string][] = [
  ['a million opening brackets', '['.repeat(1 << 20), 'this file is nested too deep'],
  ['maps in maps', '{a: '.repeat(1 << 18), 'this file is nested too deep'],
  ['lists in lists', '- '.repeat(1 << 19), 'this file is nested too deep'],
  ['keys in keys', '? '.repeat(1 << 19), 'this file is nested too deep'],
  ['stairs', Array.from({ length: 1400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 'this file is nested too deep'],
  [
    '100 000 keys',
    Array.from({ length: 100_000 }, (_, i) => `k${i}: v`).join('\n'),
    'this file has too many values for a spec file',
  ],
  ['a million commas', `[${','.repeat(1 << 20)}]`, 'this file has too many values for a spec file'],
  ['a million blank lines', '\n'.repeat(1 << 20), 'this file has too many values for a spec file'],
  ['a quarter of a million documents', '---\n'.repeat(1 << 18), 'this file has too many values for a spec file'],
  ['an alias bomb', aliasBomb, 'too many YAML aliases in one file'],
  ['a long list often', longListOften, 'the aliases of this file unfold to too many values'],
  ['many aliases', `a: &a x\nb: [${Array(40).fill('*a').join(', ')}]\n`, 'too many YAML aliases in one file'],
];

test.each(hostile)('%s: refused', (_, text, message) => {
  const { data, problems } = read(text);
  expect(problems.map((problem) => problem.replace(/^\d+:\d+ /, ''))).toContain(message);
  expect(problems.length).toBeLessThan(25);
  expect(data).toBeUndefined();
});

test('no hostile file takes long or pollutes a prototype', () => {
  const slow = hostile.filter(([, text]) => {
    // Processor time, not the clock: other programs may run beside this test.
    const before = process.cpuUsage();
    read(text);
    const { user, system } = process.cpuUsage(before);
    return user + system > 400_000;
  });
  expect(slow.map(([name]) => name)).toEqual([]);
  read('__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}\n');
  expect('polluted' in {}).toBe(false);
});

test('a long text inside a spec file is fine', () => {
  const script = 'echo "[{[{"\n'.repeat(10_000);
  const text = `shell: |\n${script.replaceAll(/^(?=.)/gm, '  ')}`;
  expect(read(text)).toEqual({ data: { shell: script }, problems: [] });
});

test('a refused file says why and holds nothing', () => {
  const document = refusedDocument('a.yaml', '/p/a.yaml', { message: 'too big', hint: 'smaller' });
  expect(document.content()).toMatchObject({
    root: undefined,
    problems: [{ message: 'too big', hint: 'smaller', place: { file: '/p/a.yaml', line: 1, column: 1 } }],
  });
});
