import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeKinds } from '../../../test/support/fake-kinds.ts';
import { manifestOf } from '../../../test/support/manifests.ts';
import { byName } from '../../core/kinds.ts';
import { createHost } from '../../host/host.ts';
import { publishBuild } from '../../store/artifacts.ts';
import { storePaths } from '../../store/paths.ts';
import type { Workshop } from '../workshop.ts';
import { parentDisk } from './parent-disk.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-parent-'));
});
afterEach(() => rm(folder, { recursive: true }));

const host = createHost();
const ctx = { host, signal: new AbortController().signal, emit: () => undefined, step: '' };
// Raw disks boot as they are unless they are compressed; what is compressed can be unpacked.
const formats = [...fakeKinds.formats.values()].map((format): typeof format => {
  if (format.name !== 'raw') return format;
  return {
    ...format,
    boots: (o) => ((o as { compression: string }).compression === 'none' ? 'raw' : undefined),
    unpack: async (o, { file, output }) => {
      const { compression } = o as { compression: string };
      await writeFile(output, `${await readFile(file, 'utf8')} without ${compression}`);
      return 'raw';
    },
  };
});

function workshop(): Workshop {
  const kinds = { ...fakeKinds, formats: byName(formats) };
  return { host, kinds, root: folder, paths: storePaths(join(folder, 'home')), secret: (name) => name };
}

type Written = { readonly format: string; readonly options?: { readonly compression: string } };

/** A finished build of `base`; each file holds its name. */
async function publish(build: string, key: string, written: readonly Written[]): Promise<string> {
  const { paths } = workshop();
  const staged = join(paths.work, build);
  await mkdir(staged, { recursive: true });
  const artifacts = written.map(({ format, ...rest }) => {
    const file = `base.${format}`;
    return { ...rest, file, format, bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') };
  });
  for (const { file } of artifacts) await writeFile(join(staged, file), file);
  const manifest = manifestOf(build, { image: 'base', key, artifacts });
  await writeFile(join(staged, 'manifest.json'), JSON.stringify(manifest));
  return (await publishBuild(paths, staged, manifest, ctx.signal)).folder;
}

const disk = (key: string) =>
  parentDisk(workshop(), 'base', { spec: { name: 'node', arch: 'x86_64' }, pin: { base: key }, folder }, ctx);

test('it is the disk of the planned key, the newest such build, whatever was built since', async () => {
  await publish('b1', 'planned', [{ format: 'qcow2' }]);
  const newest = await publish('b2', 'planned', [{ format: 'archive' }, { format: 'qcow2' }]);
  await publish('b3', 'other', [{ format: 'qcow2' }]);
  expect(await disk('planned')).toEqual({ path: join(newest, 'base.qcow2'), format: 'qcow2' });
});

test('what boots as it is comes before what must be unpacked', async () => {
  const home = await publish('b1', 'k', [{ format: 'raw', options: { compression: 'zstd' } }, { format: 'qcow2' }]);
  expect(await disk('k')).toEqual({ path: join(home, 'base.qcow2'), format: 'qcow2' });
});

test('a disk that is only there compressed is unpacked into the work folder, as it was written', async () => {
  await publish('b1', 'k', [{ format: 'raw', options: { compression: 'zlib' } }]);
  const found = await disk('k');
  expect(found).toEqual({ path: join(folder, 'base.disk'), format: 'raw' });
  expect(await readFile(found.path, 'utf8')).toBe('base.raw without zlib');
});

test('without a build of the planned key it says what to build', async () => {
  await publish('b1', 'older', [{ format: 'qcow2' }]);
  await expect(disk('planned')).rejects.toMatchObject({ code: 'NOT_FOUND', hint: 'ingot build base --arch x86_64' });
});

test.each([[[{ format: 'qcow2' }]], [[{ format: 'raw' }]]])(
  'a disk of %j whose bytes changed is refused',
  async (written) => {
    const home = await publish('b1', 'k', written);
    const file = `base.${written[0]?.format}`;
    await writeFile(join(home, file), 'x'.repeat(file.length));
    await expect(disk('k')).rejects.toMatchObject({ code: 'INPUT_REFUSED', hint: expect.stringContaining('--force') });
  },
);

test('a parent that is no disk at all is a mistake in the project', async () => {
  await publish('b1', 'k', [{ format: 'archive' }]);
  await expect(disk('k')).rejects.toMatchObject({ code: 'SPEC_INVALID', hint: expect.stringContaining('qcow2') });
});
