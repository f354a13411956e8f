import { expect, test } from 'vitest';
import { compareContents, parseContents } from './diff-contents.ts';

const digest = (start: string) => start.padEnd(64, '0');
const contents = (...lines: readonly (readonly string[])[]) =>
  parseContents(`${lines.map((cells) => cells.join('\t')).join('\n')}\n`);

const passwd = ['f', '644', '0:0', '10', digest('aa'), '/etc/passwd'];

test('the same contents have no changes', () => {
  expect(compareContents(contents(passwd), contents(passwd))).toEqual([]);
});

test('what is new and what is gone is told with what it is', () => {
  const from = contents(['l', '777', '0:0', '-', 'usr/bin', '/bin']);
  const to = contents(passwd, ['d', '755', '0:0', '-', '-', '/etc']);
  expect(compareContents(from, to)).toEqual([
    { name: '/bin', from: 'link to usr/bin' },
    { name: '/etc', to: 'folder' },
    { name: '/etc/passwd', to: 'file, 10 B' },
  ]);
});

test.each([
  ['mode', ['f', '600', '0:0', '10', digest('aa')], 'mode 644', 'mode 600'],
  ['owner', ['f', '644', '0:42', '10', digest('aa')], 'owner 0:0', 'owner 0:42'],
  ['bytes', ['f', '644', '0:0', '10', digest('bb')], '10 B aa0000000000', '10 B bb0000000000'],
  [
    'mode and size',
    ['f', '600', '0:0', '11', digest('bb')],
    'mode 644, 10 B aa0000000000',
    'mode 600, 11 B bb0000000000',
  ],
  ['type', ['l', '777', '0:0', '-', 'shadow'], 'file, 10 B', 'link to shadow'],
])('of a file that is other only what is other is told: %s', (_, now, from, to) => {
  expect(compareContents(contents(passwd), contents([...now, '/etc/passwd']))).toEqual([
    { name: '/etc/passwd', from, to },
  ]);
});

test('a path may hold tabs', () => {
  expect([...contents(['f', '644', '0:0', '1', digest('a'), '/a\tb']).keys()]).toEqual(['/a\tb']);
});
