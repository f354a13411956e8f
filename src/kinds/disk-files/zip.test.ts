import { expect, test } from 'vitest';
import { formatLab } from '../../../test/support/format-lab.ts';
import { packStream } from './compression.ts';
import { zipOf, zipText } from './zip.ts';

const lab = formatLab();

test('what is larger than 4 GiB, and what follows it, is found by others too', async () => {
  const size = 5 * 1024 ** 3;
  const large = { name: 'large', size, sum: 0, bytes: () => [] };
  // The bytes themselves are left as a hole, so that nothing has to write them.
  let headers = Buffer.alloc(0);
  for await (const part of zipOf([zipText('first', 'a'), large, zipText('last', 'the end')]))
    headers = Buffer.concat([headers, part]);
  const at = headers.indexOf('large') + 'large'.length + 20;
  const path = lab.path('large.zip');
  const file = await lab.ctx.host.files.open(path, 'new');
  await file.write(0, headers.subarray(0, at));
  await file.write(at + size, headers.subarray(at));
  await file.close();
  const read =
    'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print([(i.filename, i.file_size) for i in z.infolist()], z.read("last"))';
  expect(await lab.run('python3', '-c', read, path)).toBe(
    `[('first', 1), ('large', ${size}), ('last', 7)] b'the end'\n`,
  );
});

test('a small one is tested by unzip', async () => {
  await packStream('none', zipOf([zipText('ä', 'text'), zipText('b', '')]), lab.path('small.zip'), lab.ctx);
  expect(await lab.run('unzip', '-t', lab.path('small.zip'))).toContain('No errors detected');
});
