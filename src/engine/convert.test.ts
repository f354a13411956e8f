import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { vmdkDescription } from '../../test/support/disk-images.ts';
import { fakeKinds } from '../../test/support/fake-kinds.ts';
import { formatLab } from '../../test/support/format-lab.ts';
import type { Io } from '../cli/engine.ts';
import type { ConvertRequest } from '../cli/requests/artifacts.ts';
import type { IngotError } from '../core/errors.ts';
import type { IngotEvent } from '../core/events.ts';
import { formats } from '../kinds/formats/index.ts';
import { convertFile } from './convert.ts';

const lab = formatLab();

async function convert(request: Partial<ConvertRequest> & Pick<ConvertRequest, 'to'>, signal = lab.ctx.signal) {
  const events: IngotEvent[] = [];
  const io: Io = { signal, emit: (event) => events.push(event), withTerminal: (run) => run() };
  const place = { project: undefined, home: lab.path('home') };
  const ground = { host: lab.ctx.host, kinds: { ...fakeKinds, formats }, place, cwd: lab.path('') };
  const whole = { file: 'disk.raw', output: 'out', options: {}, arch: 'x86_64', force: false, ...request } as const;
  return { ...(await convertFile(ground, whole, io)), events };
}

/** What is in the folder besides the disk and the home. */
const left = async () => (await readdir(lab.path(''))).filter((name) => name !== 'disk.raw' && name !== 'home');

test.each(['qcow2', 'raw', 'vmdk', 'vhdx', 'vdi'])('a %s becomes a raw disk with the same bytes', async (format) => {
  const disk = await lab.disk();
  await lab.run('qemu-img', 'convert', '-f', 'raw', '-O', format, disk, lab.path('from'));
  const { path } = await convert({ file: 'from', to: 'raw' });
  expect(path).toBe(lab.path('out'));
  await lab.run('cmp', disk, path);
  expect((await left()).sort()).toEqual(['from', 'out']);
});

test.each(['xz', 'gzip', 'zstd', 'bzip2'])('one that %s compressed is unpacked on the way', async (program) => {
  const disk = await lab.disk();
  await lab.run('sh', '-c', '"$0" -c "$1" > "$2"', program, disk, lab.path('disk.img.packed'));
  const { path, format } = await convert({ file: 'disk.img.packed', to: 'qcow2' });
  expect(format).toBe('qcow2');
  await lab.run('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', disk, path);
});

test('how far it is, and how it ended, is told; the options are those of the format', async () => {
  await lab.disk();
  const { events, path } = await convert({ to: 'vhd', options: { subformat: 'dynamic' } });
  expect(await lab.run('vhdiinfo', path)).toContain('Dynamic');
  expect(events.map(({ type }) => type)).toContain('progress');
  expect(events.filter(({ type }) => type === 'step.end')).toMatchObject([
    { title: 'read disk.raw', outcome: 'done' },
    { title: 'write vhd (dynamic)', outcome: 'done' },
  ]);
  expect(events.at(-1)).toMatchObject({ type: 'build.end', image: 'disk.raw', outcome: 'done' });
});

test('a format may be said by what its files end in; what belongs to the file lies beside it', async () => {
  await lab.disk();
  const { beside } = await convert({ to: 'img.gz', output: 'card.img.gz' });
  expect(beside).toEqual([lab.path('card.bmap')]);
  expect((await left()).sort()).toEqual(['card.bmap', 'card.img.gz']);
});

test('names inside are those of the output, and the machine is as the disk boots', async () => {
  await lab.disk();
  await convert({ to: 'vmdk', output: 'final.vmdk' });
  expect(await lab.run('vmdkinfo', lab.path('final.vmdk'))).toContain('final.vmdk');
  await convert({ to: 'ova', output: 'machine.ova' });
  expect(await lab.run('tar', '-xOf', lab.path('machine.ova'), 'machine.ovf')).toContain('vmw:value="bios"');
});

test.each([
  ['a format that is near', { to: 'qcwo2' }, 'unknown format "qcwo2"', /^did you mean qcow2\?$/],
  ['a format that is not', { to: 'floppy' }, 'unknown format "floppy"', /^known: .*vdi/],
  ['an option that is not', { to: 'vdi', options: { size: '1' } }, 'these are no options of vdi', /vdi\.md$/],
  ['an output that is a folder', { to: 'vdi', output: '.' }, /is a folder/, ''],
  ['a folder that is not there', { to: 'vdi', output: 'no/such' }, /there is no folder/, 'make it first'],
  ['itself', { to: 'vdi', output: 'disk.raw', force: true }, 'cannot be written over itself', ''],
])('it is a mistake to ask for %s', async (_, request, message, hint) => {
  await lab.disk();
  const asked = convert(request);
  await expect(asked).rejects.toMatchObject({ code: 'USAGE' });
  await expect(asked).rejects.toThrow(message);
  const told = await asked.catch((error: IngotError) => error.hint ?? '');
  expect(told).toMatch(hint);
  expect(await left()).toEqual([]);
});

test('what is there stays, unless it is to be written over; then it is whole or as it was', async () => {
  await lab.disk();
  await writeFile(lab.path('out'), 'mine');
  await expect(convert({ to: 'vdi' })).rejects.toMatchObject({ code: 'USAGE', hint: '--force writes over it' });
  expect(await readFile(lab.path('out'), 'utf8')).toBe('mine');
  await writeFile(lab.path('out.bmap'), 'mine');
  await expect(convert({ to: 'img', output: 'out.img.xz' })).rejects.toThrow('out.bmap is there already');
  await expect(stat(lab.path('out.img.xz'))).rejects.toThrow('ENOENT');
  const failed = convert({ to: 'tar', force: true });
  await expect(failed).rejects.toMatchObject({ code: 'SPEC_INVALID' });
  expect(await readFile(lab.path('out'), 'utf8')).toBe('mine');
  await convert({ to: 'vdi', force: true });
  expect((await left()).sort()).toEqual(['out', 'out.bmap']);
  await lab.run('qemu-img', 'check', '-f', 'vdi', lab.path('out'));
});

test.each([
  ['leads to another file', 'a.vmdk', vmdkDescription('monolithicFlat', 'RW 2048 FLAT "/etc/passwd" 0')],
  ['is no disk at all', 'a.raw', 'hello'],
  ['is not what its name says', 'a.qcow2', Buffer.alloc(4096)],
])('one that %s is refused, and nothing is left', async (_, name, bytes) => {
  await writeFile(lab.path(name), bytes);
  await expect(convert({ file: name, to: 'raw' })).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  expect(await left()).toEqual([name]);
});

test('one that names a file below it is refused', async () => {
  const disk = await lab.disk();
  await lab.run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', disk, '-F', 'raw', lab.path('top.qcow2'));
  await expect(convert({ file: 'top.qcow2', to: 'raw' })).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
});

test('a file that is not there is told as that; a link to one is followed', async () => {
  await expect(convert({ file: 'none.raw', to: 'vdi' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await lab.disk();
  await symlink('disk.raw', lab.path('link.raw'));
  await convert({ file: 'link.raw', to: 'raw' });
  expect((await stat(lab.path('out'))).isFile()).toBe(true);
});

test('one that is stopped leaves nothing', async () => {
  await lab.disk();
  const stop = new AbortController();
  const stopped = convert({ to: 'img' }, stop.signal);
  stop.abort(new Error('stopped'));
  await expect(stopped).rejects.toThrow('stopped');
  expect(await left()).toEqual([]);
});

test('a disk without room is told as that, and what was there stays', async () => {
  const disk = await lab.disk();
  await mkdir(lab.path('small'));
  const script = `mount -t tmpfs -o size=256k small "$0/small" && exec "$@"`;
  const ingot = [process.execPath, 'src/main.ts', 'convert', disk, '--to', 'raw', '--output', lab.path('small/out')];
  const inside = ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, lab.path(''), ...ingot] as const;
  const ended = lab.run(...(inside as unknown as [string, ...string[]]));
  await expect(ended).rejects.toMatchObject({ code: 5, stderr: expect.stringContaining('no space left for') });
});
