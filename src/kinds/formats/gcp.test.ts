import { expect, test } from 'vitest';
import { formatLab, sha256 } from '../../../test/support/format-lab.ts';
import { gcp, sparseHeader } from './gcp.ts';

const lab = formatLab();
const gibibyte = 1024 ** 3;

test('it holds disk.raw alone, grown to a whole GiB, which GNU tar and Python unpack to the very disk', async () => {
  const disk = await lab.disk(300);
  const output = await lab.write(gcp, {}, disk, lab.path('lab.gcp.tar.gz'));
  const listed = await lab.run('tar', '--numeric-owner', '-tvzf', output);
  expect(listed).toMatch(/^-rw-r--r-- 0\/0 +1073741824 1970-01-01 00:00 disk\.raw\n$/);
  await lab.run('tar', '-xzSf', output, '-C', lab.path(''));
  await lab.run('truncate', '-s', '1G', disk);
  await lab.run('cmp', disk, lab.path('disk.raw'));
  const read =
    'import sys,tarfile,shutil; t=tarfile.open(sys.argv[1]); shutil.copyfileobj(t.extractfile("disk.raw"), sys.stdout.buffer)';
  await lab.run('sh', '-c', 'python3 -c "$0" "$1" | cmp - "$2"', read, output, disk);
});

test('it is the same however sparse the file of the disk is, and unpacks to a disk to start from', async () => {
  const disk = await lab.disk(64);
  await lab.run('cp', '--sparse=never', disk, lab.path('full.raw'));
  const one = await lab.write(gcp, {}, disk, lab.path('one'));
  const two = await lab.write(gcp, {}, lab.path('full.raw'), lab.path('two'));
  expect(await sha256(two)).toBe(await sha256(one));
  const back = { file: one, output: lab.path('back') };
  expect(await gcp.unpack?.({}, back, lab.ctx)).toBe('raw');
  await lab.run('truncate', '-s', '1G', disk);
  await lab.run('cmp', disk, back.output);
});

test('an empty disk and one of many pieces are told as GNU tar reads them', async () => {
  expect(sparseHeader([], { size: gibibyte, stored: 0 })).toHaveLength(1);
  const disk = lab.path('many.raw');
  const file = await lab.ctx.host.files.open(disk, 'new');
  for (let i = 0; i < 100; i += 1) await file.write(i * 131_072 * 3, Buffer.from(`piece ${i}`));
  await file.truncate(gibibyte);
  await file.close();
  const output = await lab.write(gcp, {}, disk, lab.path('many.tar.gz'));
  await lab.run('sh', '-c', 'tar -xzOf "$0" | cmp - "$1"', output, disk);
});
