import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ownerMark } from './owner.ts';
import { sweepTemporary, withTemporary } from './temporary.ts';

let place = '';
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'ingot-temporary-'));
  vi.stubEnv('TMPDIR', place);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(place, { recursive: true });
});

/** The mark of a process that is gone and had our id. */
function markOfGone(): string {
  const [space, pid, birth = ''] = ownerMark().split('-');
  return [space, pid, birth.replace(/.$/, (last) => (last === '0' ? '1' : '0'))].join('-');
}

test('a temporary folder is for us alone and gone afterwards, however it ends', async () => {
  const seen = await withTemporary(async (folder) => {
    await writeFile(join(folder, 'file'), '');
    return { folder, mode: (await stat(folder)).mode & 0o777 };
  });
  expect([dirname(seen.folder), seen.mode]).toEqual([place, 0o700]);
  await expect(withTemporary(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await readdir(place)).toEqual([]);
});

test('what a killed process had is swept; what is at work, not ours or only looks like it stays', async () => {
  await withTemporary(async (folder) => {
    const gone = join(place, `ingot-${markOfGone()}-aBc123`);
    await mkdir(join(gone, 'deep'), { recursive: true });
    await mkdir(join(place, 'other'));
    await symlink('other', join(place, `ingot-${markOfGone()}-link00`));
    await sweepTemporary();
    const staying = [basename(folder), `ingot-${markOfGone()}-link00`, 'other'];
    expect((await readdir(place)).sort()).toEqual(staying.sort());
  });
});
