import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../core/context.ts';
import type { Host } from '../core/host.ts';
import { bootState } from '../guest/boot-files.ts';
import { initrdFile, kernelFile } from '../store/layers.ts';
import { lookInside } from './look-inside.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-look-'));
});
afterEach(() => rm(folder, { recursive: true }));

type Files = Readonly<Record<string, string>>;

const changed = Date.UTC(2026, 10, 20, 2, 11, 10) / 1000;

/** A context whose reader finds these files in the first partition, all changed at one time. */
function reading(files: Files): Context {
  const run = async ({ argv }: { argv: readonly string[] }) => {
    const [, , , command, ...words] = argv;
    const path = (words.find((word) => word.startsWith('(')) ?? '').replace('(loop0,gpt1)', '');
    if (command === 'ls' && words.length === 0) return said('(proc) (loop0) (loop0,gpt1) (host) ');
    if (command === 'ls') return said(listing(files, path));
    const text = files[path];
    if (text === undefined) return { exitCode: 1, stdout: '', stderr: '' };
    if (command === 'cp') writeFileSync(words.at(-1) ?? '', text);
    return said(text);
  };
  const read = async () => Buffer.alloc(0);
  return {
    host: { run, files: { read } } as unknown as Host,
    signal: new AbortController().signal,
    emit: () => undefined,
    step: '',
  };
}

const said = (stdout: string) => ({ exitCode: 0, stdout, stderr: '' });

function listing(files: Files, folderPath: string): string {
  const inside = Object.keys(files).filter((path) => path.startsWith(folderPath));
  const names = new Map(inside.map((path) => [path.slice(folderPath.length).split('/')[0] ?? '', path]));
  const lines = [...names].map(([name, path]) =>
    path === `${folderPath}${name}` ? `${files[path]?.length}  20261120021110 ${name}` : `DIR 20261120021110 ${name}/`,
  );
  return `${lines.join('\n')}\n`;
}

const targets = '/etc/systemd/system';
const modules = '/usr/lib/modules/6.1.0-56-cloud-amd64';

const image: Files = {
  '/etc/os-release': 'ID=debian',
  '/usr/bin/cloud-init': 'x',
  '/boot/vmlinuz-6.1.0-56-cloud-amd64': 'the kernel',
  '/boot/initrd.img-6.1.0-56-cloud-amd64': 'the initrd',
  '/boot/grub/grub.cfg': `menuentry 'Linux' {\n  linux /vmlinuz root=LABEL=root ro\n  initrd /initrd.img\n}\n`,
  '/vmlinuz': 'the kernel',
  '/initrd.img': 'the initrd',
  '/etc/ssh/sshd_config': '# x\nInclude /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n',
  '/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so': 'x',
  [`${modules}/kernel/drivers/firmware/dmi-sysfs.ko`]: 'x',
  [`${targets}/multi-user.target.wants/ssh.service`]: 'x',
  [`${targets}/multi-user.target.wants/systemd-networkd.service`]: 'x',
  [`${targets}/sysinit.target.wants/systemd-resolved.service`]: 'x',
  [`${targets}/sysinit.target.wants/systemd-network-generator.service`]: 'x',
};

const look = (files: Files) => lookInside('/disk.raw', folder, reading(files));

test('a disk that lets us in without cloud-init is booted by the kernel that GRUB would start', async () => {
  expect(await look(image)).toEqual({
    ...{ cloudInit: true, readable: false, kernel: '6.1.0-56-cloud-amd64' },
    direct: {
      cmdline: 'root=LABEL=root ro',
      paths: ['/vmlinuz', '/initrd.img', '/boot/grub/grub.cfg'],
      state: bootState(
        [
          ...['/boot/vmlinuz-6.1.0-56-cloud-amd64', '/boot/initrd.img-6.1.0-56-cloud-amd64'],
          ...['/vmlinuz', '/initrd.img', '/boot/grub/grub.cfg'],
        ].map((path) => ({ path, changed })),
      ),
    },
  });
  expect(await readFile(kernelFile(folder), 'utf8')).toBe('the kernel');
  expect(await readFile(initrdFile(folder), 'utf8')).toBe('the initrd');
});

function without(...paths: readonly string[]): Files {
  return Object.fromEntries(Object.entries(image).filter(([path]) => !paths.includes(path)));
}

test.each<[string, Files]>([
  [
    'with a systemd that is too old',
    {
      ...without('/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so'),
      '/usr/lib/systemd/libsystemd-shared-247.so': 'x',
    },
  ],
  ['whose kernel cannot read credentials', without(`${modules}/kernel/drivers/firmware/dmi-sysfs.ko`)],
  ['whose network is not systemd-networkd', without(`${targets}/multi-user.target.wants/systemd-networkd.service`)],
  ['without systemd-resolved', without(`${targets}/sysinit.target.wants/systemd-resolved.service`)],
  ['without sshd', without(`${targets}/multi-user.target.wants/ssh.service`)],
  ['whose sshd reads no other file', { ...image, '/etc/ssh/sshd_config': '#Include /etc/ssh/sshd_config.d/*.conf\n' }],
  ['that starts another entry', { ...image, '/boot/grub/grubenv': 'saved_entry=1\n' }],
  ['without a menu', without('/boot/grub/grub.cfg')],
  [
    'that starts an older kernel',
    {
      ...image,
      '/boot/vmlinuz-6.10': 'new',
      '/boot/grub/grub.cfg':
        image['/boot/grub/grub.cfg']?.replace('/vmlinuz', '/boot/vmlinuz-6.1.0-56-cloud-amd64') ?? '',
    },
  ],
])('a disk %s is booted as any', async (_, files) => {
  expect((await look(files)).direct).toBeUndefined();
});

test('a kernel may have the module built in', async () => {
  const builtIn = { [`${modules}/modules.builtin`]: 'kernel/drivers/firmware/dmi-sysfs.ko\n' };
  const files = { ...without(`${modules}/kernel/drivers/firmware/dmi-sysfs.ko`), ...builtIn };
  expect((await look(files)).direct).toBeDefined();
});

test('an image without cloud-init is entered another way anyhow', async () => {
  expect(await look(without('/usr/bin/cloud-init'))).toMatchObject({
    cloudInit: false,
    kernel: '6.1.0-56-cloud-amd64',
  });
});

test('what an installer left for cloud-init to do is done by it, without a seed of ours', async () => {
  const answers = { '/etc/cloud/cloud.cfg.d/99-installer.cfg': 'datasource_list: [None]\n' };
  expect(await look({ ...image, ...answers })).toEqual({
    ...{ cloudInit: false, readable: false, kernel: '6.1.0-56-cloud-amd64' },
  });
});

test('where no file system can be read cloud-init is taken to be there', async () => {
  expect(await look({})).toEqual({ cloudInit: true });
});
