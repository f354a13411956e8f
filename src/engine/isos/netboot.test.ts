import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeKinds } from '../../../test/support/fake-kinds.ts';
import type { Io } from '../../cli/engine.ts';
import { appendToInitrd } from '../../core/cpio.ts';
import type { IsoEntry } from '../../core/isos.ts';
import type { Medium } from '../../core/media.ts';
import { createHost } from '../../host/host.ts';
import { storePaths } from '../../store/paths.ts';
import { buildNetboots } from './netboot.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-netboot-'));
  for (const part of ['isos', 'images']) await mkdir(join(folder, part));
  const net = (distribution: string) =>
    `{ distribution: ${distribution}, arch: x86_64, kernel: { file: isos/linux }, initrd: { file: isos/initrd } }`;
  await write(
    'isos.yaml',
    `net: ${net('debian')}
ubuntu: ${net('ubuntu')}
proxmox: ${net('proxmox')}
iso: { distribution: debian, arch: x86_64, file: isos/x.iso }
`,
  );
  await write('ingot.yaml', 'name: test\n');
  await write('isos/x.iso', 'an ISO');
  await write('isos/linux', 'a kernel');
  await write('isos/initrd', 'an initrd');
  for (const name of ['net', 'ubuntu', 'proxmox', 'iso'])
    await write(`images/${name}.yaml`, `arch: x86_64\nsource: { installer: { iso: ${name} } }\n`);
});
afterEach(() => rm(folder, { recursive: true }));

const write = (path: string, text: string) => writeFile(join(folder, path), text);
const answers = new Map([['preseed.cfg', 'answers\n']]);
const medium: Medium<unknown> = {
  iso: (options) => (options as { iso: IsoEntry }).iso,
  deliveries: () => ['initrd', 'url'],
  unattended: async (_, { delivery }) => ({ words: ['auto', ...Object.values(delivery)], files: answers }),
};
const io: Io = {
  signal: new AbortController().signal,
  emit: () => undefined,
  withTerminal: (run) => run(),
};

async function netboot(image: string, base?: string) {
  const installer = fakeKinds.sources.get('installer');
  if (installer === undefined) throw new Error('there is an installer');
  const sources = new Map([...fakeKinds.sources, ['installer', { ...installer, medium }]]);
  const [workshop, request] = [
    {
      host: createHost(),
      kinds: { ...fakeKinds, sources },
      root: folder,
      paths: storePaths(join(folder, 'home')),
      secret: (name: string) => name,
    },
    { image, arch: 'x86_64' as const, powerOff: false, refresh: false, ...(base === undefined ? {} : { base }) },
  ];
  const [result] = await buildNetboots(workshop, request, io);
  return result;
}

test('a folder holds the kernel, the initrd with the answers behind it, and a script for each loader', async () => {
  const made = await netboot('net');
  expect(made?.error).toBeUndefined();
  const at = join(folder, 'home/artifacts/netboot/net/x86_64');
  expect(made?.paths).toEqual(['boot.ipxe', 'grub.cfg', 'vmlinuz', 'initrd.img'].map((name) => join(at, name)));
  expect(await readFile(join(at, 'boot.ipxe'), 'utf8')).toContain('\nkernel vmlinuz initrd=initrd.img auto initrd\n');
  expect(await readFile(join(at, 'grub.cfg'), 'utf8')).toContain('\nlinux "$config_directory/vmlinuz" auto initrd\n');
  expect(await readFile(join(at, 'vmlinuz'), 'utf8')).toBe('a kernel');
  expect(await readFile(join(at, 'initrd.img'))).toEqual(appendToInitrd(Buffer.from('an initrd'), answers));
  expect((await readFile(join(at, 'SHA256SUMS'), 'utf8')).match(/^[0-9a-f]{64} /gm)).toHaveLength(4);
  expect(await readFile(join(at, 'sbom.cdx.json'), 'utf8')).toContain('"bom-ref": "image:net:x86_64"');
  expect((await netboot('net'))?.outcome).toBe('cached');
  await write('isos/linux', 'another kernel');
  expect((await netboot('net'))?.outcome).toBe('done');
});

test('an installer that asks for whole addresses is told where the folder is', async () => {
  const made = await netboot('ubuntu', 'http://192.0.2.1/');
  const script = await readFile(made?.paths[0] ?? '', 'utf8');
  expect(script).toContain('url=http://192.0.2.1/netboot/ubuntu/x86_64/ubuntu.iso');
  expect(script).toContain('http://192.0.2.1/netboot/ubuntu/x86_64/\n');
  expect(made?.paths.map((path) => path.split('/').at(-1))).toContain('preseed.cfg');
});

test.each([
  ['ubuntu', 'the installer of ubuntu fetches its answers from a whole address'],
  ['iso', 'the kernel and initrd of the ISO iso look for a CD when they start'],
  ['proxmox', 'the installer of proxmox is not started over the network: it is looked for on its ISO'],
])('%s alone cannot be started so, and nothing of it is there', async (image, message) => {
  expect((await netboot(image))?.error?.message).toBe(message);
  await expect(readFile(join(folder, 'home/artifacts/netboot', image, 'x86_64/boot.ipxe'))).rejects.toThrow('ENOENT');
});
