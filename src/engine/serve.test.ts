import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createHost } from '../host/host.ts';
import { unpackedFactsArgv } from './cards.ts';
import { handedOver } from './serve.ts';

test('a socket of systemd is taken by the process that it was meant for', () => {
  expect(handedOver({ env: { LISTEN_PID: '7', LISTEN_FDS: '1' }, pid: 7 })).toEqual({ fd: 3 });
  expect(handedOver({ env: { LISTEN_PID: '8', LISTEN_FDS: '1' }, pid: 7 })).toBeUndefined();
  expect(handedOver({ env: {}, pid: 7 })).toBeUndefined();
  expect(() => handedOver({ env: { LISTEN_PID: '7', LISTEN_FDS: '2' }, pid: 7 })).toThrow('takes one');
});

test.each([
  ['x.img', 'cat'],
  ['x.img.xz', 'xz'],
  ['x.img.gz', 'gzip'],
  ['x.img.zst', 'zstd'],
])('size and digest of what %s unpacks to are found', async (name, packer) => {
  const host = createHost();
  await host.withTemporary(async (folder) => {
    const argv = packer === 'cat' ? ['cat'] : [packer, '-c'];
    await host.run({ argv: argv as [string] }, { stdin: 'the disk', stdoutFile: `${folder}/${name}` });
    const { stdout } = await host.run({ argv: unpackedFactsArgv(`${folder}/${name}`) });
    expect(stdout).toMatch(/^8$/m);
    expect(stdout).toContain(`${createHash('sha256').update('the disk').digest('hex')}  -`);
  });
});
