import { expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import { type ErrorCode, IngotError } from '../core/errors.ts';
import type { Files } from '../core/host.ts';
import { withRoomForTools } from './room.ts';

function attempt(code: ErrorCode, free: number | undefined): Promise<void> {
  const freeBytes: Files['freeBytes'] = (path) =>
    path === '/work' && free !== undefined ? Promise.resolve(free) : Promise.reject(new Error('gone'));
  const ctx = { host: { files: { freeBytes } } } as unknown as Context;
  const fail = () => Promise.reject(new IngotError({ code, message: 'sfdisk ended with exit code 1' }));
  return withRoomForTools('/work/disk.raw', async () => 9000, fail, ctx);
}

test('a program that failed where nothing is left, failed for want of room', async () => {
  await expect(attempt('TOOL_FAILED', 4096)).rejects.toMatchObject({
    code: 'NO_SPACE',
    message: 'no space left for /work/disk.raw: 9000 bytes needed',
    detail: ['sfdisk ended with exit code 1'],
  });
});

test.each([
  ['TOOL_FAILED', 1_000_000],
  ['TOOL_FAILED', undefined],
  ['STEP_FAILED', 0],
] as const)('%s with %s bytes left is told as it is', async (code, free) => {
  await expect(attempt(code, free)).rejects.toMatchObject({ code, message: 'sfdisk ended with exit code 1' });
});

test('a program that said itself that there is no room is believed', async () => {
  await expect(attempt('NO_SPACE', 1_000_000)).rejects.toMatchObject({ code: 'NO_SPACE', bytes: 9000 });
});
