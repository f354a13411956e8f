import { expect, test } from 'vitest';
import { IngotError } from './errors.ts';
import { isNoSpace, NoSpaceError, withRoom } from './space.ts';

const full = (code: string) => Promise.reject(Object.assign(new Error('full'), { code }));

test.each(['ENOSPC', 'EDQUOT'])('%s says how many bytes were needed', async (code) => {
  await expect(withRoom('/srv', 5000, () => full(code))).rejects.toMatchObject({
    code: 'NO_SPACE',
    message: 'no space left for /srv: 5000 bytes needed',
  });
});

test('what a program said about a full disk is kept, and completed', async () => {
  const said = new IngotError({ code: 'NO_SPACE', message: 'zstd found no space', detail: ['zstd: error 70'] });
  await expect(
    withRoom(
      '/srv',
      async () => 70_000,
      () => Promise.reject(said),
    ),
  ).rejects.toMatchObject({
    code: 'NO_SPACE',
    message: 'no space left for /srv: 70000 bytes needed',
    detail: ['zstd found no space', 'zstd: error 70'],
  });
});

test('memory that is short is not taken for a disk', async () => {
  const error = withRoom({ inMemory: "the image's files" }, 70_000, () => full('ENOSPC'));
  await expect(error).rejects.toMatchObject({
    code: 'NO_SPACE',
    message: "no memory left for the image's files: more than 70000 bytes needed",
    hint: expect.not.stringContaining('ingot gc'),
  });
});

test('the innermost knows best what is needed', async () => {
  const inner = () => withRoom('/srv/inner', 5000, () => full('ENOSPC'));
  await expect(withRoom('/srv', 9000, inner)).rejects.toMatchObject({ bytes: 5000 });
});

test('even an empty file takes a block, and so does what cannot be measured', async () => {
  await expect(withRoom('/srv', 0, () => full('ENOSPC'))).rejects.toMatchObject({ bytes: 4096 });
  const unknown = () => Promise.reject(new Error('gone'));
  await expect(withRoom('/srv', unknown, () => full('ENOSPC'))).rejects.toBeInstanceOf(NoSpaceError);
});

test('other failures are passed on as they are', async () => {
  await expect(withRoom('/srv', 1, () => Promise.reject(new Error('other')))).rejects.toThrow('other');
  expect(await withRoom('/srv', 1, async () => 'done')).toBe('done');
  expect([isNoSpace(new Error('x')), isNoSpace('ENOSPC')]).toEqual([false, false]);
});
