import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../../core/context.ts';
import type { Command, RunResult } from '../../core/host.ts';
import { createHost } from '../../host/host.ts';
import { diskFile, findLayer, hasLayer, initrdFile, kernelFile, packedFile, saveLayer } from '../../store/layers.ts';
import { type StorePaths, storePaths } from '../../store/paths.ts';
import { GuestDisk, newLayerId } from './guest-disk.ts';

let home = '';
let paths: StorePaths;
let ran: string[][] = [];
let builds = 0;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ingot-guest-disk-'));
  paths = storePaths(home);
  ran = [];
});
afterEach(() => rm(home, { recursive: true }));

/** Programs are only written down; overlays and copies are made as files. */
async function run({ argv }: Command): Promise<RunResult> {
  ran.push([...argv]);
  const [program, ...words] = argv;
  if (program === 'qemu-img' && words[0] === 'create') await writeFile(words.at(-2) ?? '', '');
  if (program === 'cp') await copyFile(words.at(-2) ?? '', words.at(-1) ?? '');
  return { exitCode: 0, stdout: '300\ttotal\n', stderr: '' };
}
const ctx: Context = {
  host: { ...createHost(), run },
  signal: new AbortController().signal,
  emit: () => undefined,
  step: 'source',
};

const record = (key: string) => ({ key, title: `step ${key}`, seconds: 1 });

/** A disk in a work folder of its own, as each build has one. */
async function open(): Promise<{ readonly disk: GuestDisk; readonly folder: string }> {
  builds += 1;
  const folder = join(paths.work, `build-${builds}`);
  await mkdir(folder, { recursive: true });
  return { disk: new GuestDisk(paths, folder, 4096), folder };
}

/** Store a whole disk with these bytes as the layer `key`. */
async function start(disk: GuestDisk, key: string, bytes: string): Promise<string> {
  const path = join(home, 'artifacts', `${bytes}.qcow2`);
  await mkdir(join(home, 'artifacts'), { recursive: true });
  await writeFile(path, bytes);
  await disk.start({ path, format: 'qcow2' }, { size: 5, cloudInit: true, kernel: '6.1' }, record(key), ctx);
  return path;
}

/** Have a guest write these bytes, and store them as the layer `key`. */
async function write(disk: GuestDisk, key: string, bytes: string, keys: readonly string[] = []): Promise<void> {
  const overlay = await disk.newOverlay(ctx);
  disk.use(overlay);
  await writeFile(overlay, bytes);
  await disk.newLayer(key, ctx);
  await disk.keep(await disk.newOverlay(ctx), { id: newLayerId(ctx), keys }, record(key), ctx);
}

/** What lies below the guest's overlay, the nearest first. */
async function below({ drive }: GuestDisk): Promise<readonly string[]> {
  return Promise.all((drive.below ?? []).map(({ path }) => readFile(path, 'utf8')));
}

async function restored(...keys: readonly string[]) {
  const { disk } = await open();
  const results: boolean[] = [];
  for (const key of keys) results.push(await disk.restore(key, ctx));
  return { disk, results };
}

test('what was written on a disk is put back in its order, with who logged in', async () => {
  const first = await open();
  await start(first.disk, 'a', 'base');
  await write(first.disk, 'b', 'one', ['K1']);
  await write(first.disk, 'c', 'two', ['K1', 'K2']);
  expect(await below(first.disk)).toEqual(['two', 'one', 'base']);
  const { disk, results } = await restored('a', 'b', 'c');
  expect(results).toEqual([true, true, true]);
  expect(await below(disk)).toEqual(['two', 'one', 'base']);
  expect(disk.drive.below?.map(({ format }) => format)).toEqual(['qcow2', 'qcow2', 'qcow2']);
  expect([disk.top?.key, disk.top?.id, disk.keys]).toEqual(['c', first.disk.top?.id, ['K1', 'K2']]);
  expect(disk.base).toMatchObject({ cloudInit: true, kernel: '6.1', size: 5 });
});

test('a layer is found with its record, and says what it lies on', async () => {
  const { disk } = await open();
  await start(disk, 'a', 'base');
  const base = disk.top?.id;
  await write(disk, 'b', 'one', ['K1']);
  expect(await findLayer(paths, 'b', 0)).toMatchObject({
    ...{ title: 'step b', removed: [], seconds: 1, bytes: 3 },
    disk: { id: disk.top?.id, below: base, format: 'qcow2', size: 4096, keys: ['K1'] },
  });
});

test('a disk of this home is linked, any other is copied with its holes', async () => {
  const { disk } = await open();
  const path = await start(disk, 'a', 'base');
  const inode = (await stat(path)).ino;
  expect((await stat((await findLayer(paths, 'a', 0))?.file ?? '')).ino).toBe(inode);
  expect(ran).toEqual([]);
  const elsewhere = await mkdtemp(join(tmpdir(), 'ingot-elsewhere-'));
  await writeFile(join(elsewhere, 'own.raw'), 'own');
  const other = await open();
  await other.disk.start({ path: join(elsewhere, 'own.raw'), format: 'raw' }, { size: 3 }, record('x'), ctx);
  await rm(elsewhere, { recursive: true });
  expect(ran.map(([program, ...words]) => [program, ...words.slice(0, 2)])).toEqual([
    ['cp', '--sparse=always', '--reflink=auto'],
  ]);
  expect(await below(other.disk)).toEqual(['own']);
});

test.each<[string, (one: GuestDisk) => Promise<unknown>]>([
  ['is not there', async () => undefined],
  [
    'is of a tree',
    async () => {
      const folder = join(home, 'tree');
      await mkdir(folder);
      await writeFile(packedFile(folder), 'tar');
      await saveLayer(paths, 'b', folder, { title: 'a step', removed: [], seconds: 1 });
    },
  ],
  [
    'is not whole',
    async (disk) => {
      await write(disk, 'b', 'one');
      await writeFile(diskFile(join(paths.layers, 'b')), 'o');
    },
  ],
])('a layer that %s is not put on the disk', async (_, make) => {
  const { disk } = await open();
  await start(disk, 'a', 'base');
  await make(disk);
  const again = await restored('a', 'b');
  expect(again.results).toEqual([true, false]);
  expect(await below(again.disk)).toEqual(['base']);
});

test('a layer goes only on the one that it was written on', async () => {
  const { disk } = await open();
  await start(disk, 'a', 'base');
  await write(disk, 'b', 'one');
  await write(disk, 'c', 'two');
  expect((await restored('b')).results).toEqual([false]);
  expect((await restored('a', 'c')).results).toEqual([true, false]);
});

test('where a layer was made again those on top of it are stale, until they are made again too', async () => {
  const first = await open();
  await start(first.disk, 'a', 'base');
  await write(first.disk, 'b', 'one');
  const forced = await open();
  await start(forced.disk, 'a', 'new base');
  const stale = await restored('a', 'b');
  expect(stale.results).toEqual([true, false]);
  expect(await below(stale.disk)).toEqual(['new base']);
  await write(stale.disk, 'b', 'one again');
  expect(await below((await restored('a', 'b')).disk)).toEqual(['one again', 'new base']);
});

test('a layer that takes the place of another leaves nothing of it, and no work folder', async () => {
  const first = await open();
  await start(first.disk, 'a', 'base');
  await write(first.disk, 'b', 'one');
  const second = (await restored('a')).disk;
  await write(second, 'b', 'another');
  expect((await readdir(paths.layers)).sort()).toEqual(['a', 'b']);
  expect(await readdir(join(paths.layers, 'b'))).toEqual(['disk.img', 'layer.json']);
  const work = await readdir(join(paths.work, `build-${builds}`));
  expect(work.filter((name) => name.startsWith('layer-'))).toEqual([]);
});

test('a guest keeps its disk when another build replaces or removes the layers', async () => {
  const { disk } = await open();
  await start(disk, 'a', 'base');
  await write(disk, 'b', 'one');
  await rm(paths.layers, { recursive: true });
  expect(hasLayer(paths, 'a')).toBe(false);
  expect(await below(disk)).toEqual(['one', 'base']);
});

test('overlays are of the size of the disk, each a new file', async () => {
  const { disk, folder } = await open();
  const [one, two] = [await disk.newOverlay(ctx), await disk.newOverlay(ctx)];
  expect([one, two]).toEqual([join(folder, 'overlay-1.qcow2'), join(folder, 'overlay-2.qcow2')]);
  expect(ran.map((argv) => argv.at(-1))).toEqual(['4096', '4096']);
  disk.use(two);
  expect(disk.drive).toMatchObject({ file: { path: two, format: 'qcow2' }, boot: true });
});

test('the finished disk is one file: all layers, and then the overlay on them', async () => {
  const { disk } = await open();
  await start(disk, 'a', 'base');
  await write(disk, 'b', 'one');
  ran = [];
  await disk.flattenLayers('/out.raw', ctx);
  await disk.commitOverlay('/out.raw', ctx);
  const [flatten = [], resize = [], commit = []] = ran;
  expect([...flatten.slice(0, 4), flatten.at(-1)]).toEqual(['qemu-img', 'convert', '-O', 'raw', '/out.raw']);
  expect(flatten[4]).toMatch(/below-1\.img.*below-0\.img/);
  expect(flatten[4]).not.toContain('overlay');
  expect(resize).toEqual(['qemu-img', 'resize', '-q', '-f', 'raw', '/out.raw', '4096']);
  expect(commit.slice(0, 2)).toEqual(['qemu-img', 'commit']);
  expect(commit.at(-1)).toMatch(/overlay-2\.qcow2.*out\.raw/);
});

const direct = { cmdline: 'root=LABEL=root', paths: ['/vmlinuz'], state: 'S' };

/** Store a whole disk that can be booted directly, and one step on it. */
async function startDirectly(bootsAlike: boolean): Promise<void> {
  const { disk } = await open();
  const layer = await disk.newLayer('a', ctx);
  await writeFile(kernelFile(layer), 'kernel');
  await writeFile(initrdFile(layer), 'initrd');
  const path = join(home, 'base.qcow2');
  await writeFile(path, 'base');
  await disk.start({ path, format: 'qcow2' }, { size: 5, cloudInit: true, kernel: '6.1', direct }, record('a'), ctx);
  disk.use(await disk.newOverlay(ctx));
  await disk.newLayer('b', ctx);
  await disk.keep(await disk.newOverlay(ctx), { id: 'B', keys: [], bootsAlike, kernel: '6.2' }, record('b'), ctx);
}

test('a disk is booted by the kernel beside its lowest layer, while what starts it was not touched', async () => {
  await startDirectly(true);
  const { disk } = await restored('a', 'b');
  expect([disk.startsAlike, disk.kernelVersion]).toEqual([true, '6.2']);
  expect(disk.directKernel).toMatchObject(direct);
  expect(await readFile(disk.directKernel?.file ?? '', 'utf8')).toBe('kernel');
  expect(await readFile(disk.directKernel?.initrd ?? '', 'utf8')).toBe('initrd');
  const kernel = await disk.kernel('/nowhere', ctx);
  expect(kernel).toEqual({ file: disk.directKernel?.file, version: '6.1' });
});

test('where a step changed what starts the disk its own boot loader is asked', async () => {
  await startDirectly(false);
  expect((await restored('a', 'b')).disk.startsAlike).toBe(false);
  expect((await restored('a')).disk.startsAlike).toBe(true);
});

test('a kernel that brought no guest up is not tried again', async () => {
  await startDirectly(true);
  const { disk } = await restored('a', 'b');
  await disk.giveUpDirectBoot();
  expect([disk.startsAlike, disk.directKernel]).toEqual([false, undefined]);
  const again = await restored('a', 'b');
  expect([again.results, again.disk.startsAlike]).toEqual([[true, true], false]);
  expect(await readdir(join(paths.layers, 'a'))).toEqual(['disk.img', 'layer.json']);
});
