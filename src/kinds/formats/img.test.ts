import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { formatLab, noise, sha256 } from '../../../test/support/format-lab.ts';
import { img } from './img.ts';

const lab = formatLab();

/** A card: a partition table, something before the file system, and a file system with files, zeros in files and holes. */
async function card(mib = 256): Promise<string> {
  const disk = lab.path('card.raw');
  await lab.run('truncate', '-s', `${mib}M`, disk);
  await lab.run(
    'sh',
    '-c',
    'printf "label: dos\\nstart=2048,size=16384,type=c\\nstart=18432,type=83\\n" | sfdisk -q "$0"',
    disk,
  );
  const tree = lab.path('tree');
  await lab.run('mkdir', '-p', `${tree}/etc`);
  await lab.ctx.host.files.write(`${tree}/etc/noise`, noise('card', 3_000_000));
  await lab.ctx.host.files.write(`${tree}/zeros`, Buffer.alloc(2_000_000));
  const words = ['-q', '-F', '-t', 'ext4', '-b', '4096', '-E', `offset=${18432 * 512},nodiscard,lazy_itable_init=1`];
  await lab.run('mke2fs', ...words, '-d', tree, disk, String(((mib * 2048 - 18432) * 512) / 4096));
  return disk;
}

test('bmaptool writes the card as it is, even over an old one, and leaves out what nobody uses', async () => {
  const disk = await card();
  await lab.write(img, {}, disk, lab.path('lab.img.xz'));
  await lab.run('truncate', '-s', '256M', lab.path('new'));
  await lab.run('bmaptool', '-q', 'copy', lab.path('lab.img.xz'), lab.path('new'));
  await lab.run('cmp', disk, lab.path('new'));
  const text = await lab.ctx.host.files.readText(lab.path('lab.bmap'));
  const [, mapped = ''] = /<MappedBlocksCount> (\d+) /.exec(text ?? '') ?? [];
  expect(Number(mapped)).toBeGreaterThan(3_000_000 / 4096);
  expect(Number(mapped)).toBeLessThan((256 * 1024 ** 2) / 4096 / 2);
});

test('what an old card holds is not taken for zeros of a file or for inodes', async () => {
  const disk = await card();
  await lab.write(img, { compression: 'none' }, disk, lab.path('lab.img'));
  const old = lab.path('old');
  await lab.run('sh', '-c', 'yes old | head -c 268435456 > "$0"', old);
  await lab.run('bmaptool', '-q', 'copy', lab.path('lab.img'), old);
  const volume = `${old}?offset=${18432 * 512}`;
  await lab.run('e2fsck', '-f', '-n', volume);
  expect(await lab.run('sh', '-c', 'debugfs -R "cat /zeros" "$0" 2>/dev/null | tr -d "\\0" | wc -c', volume)).toBe(
    '0\n',
  );
  expect(await lab.run('sh', '-c', 'head -c 9437184 "$0" | cmp -n 9437184 - "$1" && echo same', disk, old)).toBe(
    'same\n',
  );
});

test('a disk without a file system that is known is mapped whole, its odd end too', async () => {
  const disk = await lab.disk();
  await lab.run('truncate', '-s', String(64 * 1024 ** 2 + 512), disk);
  await lab.write(img, { compression: 'gzip' }, disk, lab.path('lab.img.gz'));
  const text = await lab.ctx.host.files.readText(lab.path('lab.bmap'));
  expect(text).toContain('<MappedBlocksCount> 16385 <');
  await lab.run('bmaptool', '-q', 'copy', lab.path('lab.img.gz'), lab.path('new'));
  await lab.run('cmp', disk, lab.path('new'));
});

test('the same disk gives the same files, however sparse', async () => {
  const disk = await card();
  await lab.run('cp', '--sparse=never', disk, lab.path('full.raw'));
  await lab.write(img, { compression: 'zstd' }, disk, lab.path('one.img.zst'));
  await lab.write(img, { compression: 'zstd' }, lab.path('full.raw'), lab.path('two.img.zst'));
  expect(await sha256(lab.path('two.img.zst'))).toBe(await sha256(lab.path('one.img.zst')));
  expect(await sha256(lab.path('two.bmap'))).toBe(await sha256(lab.path('one.bmap')));
});

test('without a block map there is none, and another image can start from it', async () => {
  const disk = await lab.disk();
  const options = img.options.parse({ bmap: false });
  expect([img.extension(options), img.beside?.(options), img.boots(options)]).toEqual(['img.xz', [], undefined]);
  const file = await lab.write(img, { bmap: false }, disk, lab.path('lab.img.xz'));
  await expect(stat(lab.path('lab.bmap'))).rejects.toThrow('ENOENT');
  expect(await img.unpack?.(options, { file, output: lab.path('back') }, lab.ctx)).toBe('raw');
  expect(await sha256(lab.path('back'))).toBe(await sha256(disk));
});
