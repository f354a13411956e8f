import { expect, test } from 'vitest';
import { fakeContext, fakeGuest, fakeSubject } from '../../../test/support/fake-guest.ts';
import { command, judge } from './command.ts';

const result = (exitCode: number, stdout = '') => ({ exitCode, stdout, stderr: '' });

test.each([
  [{ exit: 0 }, result(0), undefined],
  [{ exit: 0 }, result(1), 'exit code 1 instead of 0'],
  [{ exit: 3 }, result(3), undefined],
  [{ exit: 0, stdout: { contains: 'Python' } }, result(0, 'Python 3'), undefined],
  [{ exit: 0, stdout: { contains: 'Python 4' } }, result(0, 'Python 3'), 'stdout does not contain "Python 4"'],
  [{ exit: 0, stdout: { matches: '^b+$' } }, result(0, 'a\nbb\n'), undefined],
  [{ exit: 0, stdout: { matches: '^c' } }, result(0, 'a\n'), 'stdout does not match /^c/'],
])('%o and %o', (wanted, found, wrong) => {
  expect(judge(wanted, found)).toBe(wrong);
});

test('a bare text is a command of root that must succeed', () => {
  expect(command.options.parse('true')).toEqual({ run: 'true', exit: 0, as: 'root' });
});

test.each(['', { run: 'x', exit: 255 }, { run: 'x', stdout: { matches: '(' } }, { run: 'x', extra: 1 }])(
  'refused: %o',
  (options) => expect(command.options.safeParse(options).success).toBe(false),
);

test('it runs as who was named, in every guest, and its last lines are told when it fails', async () => {
  const guests = [fakeGuest([{ stdout: 'fine\n' }], 'bios'), fakeGuest([{ exitCode: 1, stderr: 'broken\n' }], 'uefi')];
  const options = { run: 'it', exit: 0, as: 'user' };
  await expect(command.run(options, fakeSubject(guests), fakeContext())).rejects.toMatchObject({
    message: 'exit code 1 instead of 0 (under UEFI)',
    detail: ['broken'],
  });
  expect(guests.map(({ asked }) => asked[0]?.who)).toEqual(['user', 'user']);
});
