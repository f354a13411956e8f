import { expect, test } from 'vitest';
import { fakeContext, fakeGuest, fakeSubject } from '../../../test/support/fake-guest.ts';
import { file, judge, parseFile } from './file.ts';

const there = { there: true, mode: '644', owner: 'root', group: 'adm', contains: true } as const;
const path = '/etc/x';

test.each([
  [{ path, exists: true }, there, []],
  [{ path, exists: true, mode: '0644', owner: 'root', contains: 'a' }, there, []],
  [{ path, exists: true, mode: '0600' }, there, ['mode 0644 instead of 0600']],
  [{ path, exists: true, owner: 'root:root' }, there, ['owner root:adm instead of root:root']],
  [{ path, exists: true, contains: 'a' }, { ...there, contains: false }, ['does not contain "a"']],
  [{ path, exists: false }, there, ['exists']],
  [{ path, exists: true }, { there: false, dangling: false } as const, ['does not exist']],
  [{ path, exists: true }, { there: false, dangling: true } as const, ['is a link that leads nowhere']],
  [{ path, exists: false }, { there: false, dangling: false } as const, []],
])('%o against %o', (wanted, found, wrong) => {
  expect(judge(wanted, found)).toEqual(wrong);
});

test('absent is a word for exists: false', () => {
  expect(file.options.parse({ path, absent: true })).toEqual({ path, exists: false });
  expect(file.options.parse(path)).toEqual({ path, exists: true });
});

test.each([{ path: 'etc/x' }, { path, mode: 644 }, { path, absent: true, mode: '0644' }, { path, owner: 'a b' }])(
  'refused: %o',
  (options) => expect(file.options.safeParse(options).success).toBe(false),
);

test('what stat and grep printed is read', () => {
  expect(parseFile({ stdout: '4755 root adm\ncontains\n', stderr: '' })).toEqual({ ...there, mode: '4755' });
  expect(() => parseFile({ stdout: '', stderr: 'stat: Permission denied' })).toThrow('Permission denied');
});

test('path and text reach the guest as words, never as shell', async () => {
  const guest = fakeGuest([{ stdout: '644 root root\ncontains\n' }]);
  const options = { path: '/etc/$(x)', exists: true, contains: '`y`' };
  expect(await file.run(options, fakeSubject([guest]), fakeContext())).toBe('as it should be, under BIOS');
  expect(guest.asked[0]?.script.args).toEqual(['/etc/$(x)', '`y`']);
});
