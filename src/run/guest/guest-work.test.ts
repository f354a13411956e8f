import { expect, test } from 'vitest';
import type { RunOptions, RunResult } from '../../core/host.ts';
import type { BootedGuest } from './boot-guest.ts';
import { fullIn, runInGuest } from './guest-work.ts';

const df = `Filesystem     1024-blocks    Used Available Capacity Mounted on
/dev/vda1          8000000 8000000         0     100% /
/dev/vda2           500000  499999         1     100% /boot
tmpfs               100000  100000         0     100% /run/my place
/dev/vda1          8000000 8000000         0     100% /
tmpfs                    0       0         0        - /sys
`;

test('the file systems without a free block are told, each once', () => {
  expect(fullIn(df)).toEqual(['/', '/run/my place']);
  expect(fullIn('')).toEqual([]);
});

/** A guest whose script fails with these lines, and whose df says this. */
function guest(lines: readonly string[], said = ''): BootedGuest {
  const run = async (_: unknown, { onLine }: RunOptions): Promise<RunResult> => {
    for (const line of lines) onLine?.(line);
    return { exitCode: 7, stdout: '', stderr: '' };
  };
  return { run, exec: async () => ({ exitCode: 0, stdout: said, stderr: '' }) } as unknown as BootedGuest;
}

const script = { name: 'a.sh', text: '' };

test('a script that fails is told with its command, its exit code and its last 20 lines', async () => {
  const lines = Array.from({ length: 25 }, (_, at) => `line ${at}`);
  await expect(runInGuest(guest(lines), script, {})).rejects.toMatchObject({
    code: 'STEP_FAILED',
    message: 'a.sh ended with exit code 7',
    hint: undefined,
    detail: ['command: /bin/sh', ...lines.slice(5)],
  });
});

test.each([
  ['cp: error writing: No space left on device', df, 'on / and /run/my place', true],
  ["E: You don't have enough free space in /var/cache/apt/archives/.", '', 'on its disk', true],
  ['dd: No space left on device', 'tmpfs 1 1 0 100% /tmp', 'on /tmp', false],
])('a guest without space is named: %s', async (line, said, where, raise) => {
  const failure = await runInGuest(guest([line], said), script, {}).catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: `a.sh ended with exit code 7: no space is left in the guest ${where}` });
  expect(String((failure as { hint?: string }).hint).includes('raise `disk:`')).toBe(raise);
});
