import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { formatLab } from '../../../test/support/format-lab.ts';

const lab = formatLab();

/** Writes a format in a process of its own with a small heap; prints the most memory it had, in MiB. */
const program = `
const [source, name, options, disk, output] = process.argv.slice(1);
const { formats } = await import(source + '/kinds/formats/index.ts');
const { createHost } = await import(source + '/host/host.ts');
const format = formats.get(name);
const image = { name: 'lab', arch: 'x86_64', firmware: ['bios'] };
const ctx = { host: createHost(), signal: new AbortController().signal, emit: () => undefined, step: 'format' };
await format.write(format.options.parse(JSON.parse(options)), { disk, output, image }, ctx);
console.log(process.resourceUsage().maxRSS / 1024);
`;

async function mostMemory(name: string, options: object, disk: string): Promise<number> {
  const words = ['--max-old-space-size=64', '--input-type=module', '-e', program, resolve('src'), name];
  const said = await lab.run(process.execPath, ...words, JSON.stringify(options), disk, lab.path('out'));
  await lab.ctx.host.files.remove(lab.path('out'));
  return Number(said);
}

test.each([
  ['vma', { compression: 'none' }],
  ['gcp', {}],
  ['vhd', {}],
  ['vhdx', {}],
  ['vmdk', {}],
])('%s takes no more memory for a disk of 100 GiB than for a small one', async (name, options) => {
  const small = await mostMemory(name, options, await lab.disk(64));
  const large = lab.path('large.raw');
  await lab.run('cp', '--sparse=always', lab.path('disk.raw'), large);
  const file = await lab.ctx.host.files.open(large, 'change');
  const bytes = 100 * 1024 ** 3;
  // Something at each GiB, and at the end.
  for (let at = 1024 ** 3; at < bytes; at += 1024 ** 3) await file.write(at, Buffer.alloc(100_000, 'data'));
  await file.write(bytes - 512, Buffer.alloc(512, 'end'));
  await file.close();
  expect(await mostMemory(name, options, large)).toBeLessThan(small + 128);
});
