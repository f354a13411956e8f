import { execFile } from 'node:child_process';
import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import type { Firmware } from '../../src/core/spec.ts';
import { createHost } from '../../src/host/host.ts';
import type { Drive } from '../../src/qemu/argv.ts';
import { type BootedGuest, bootGuest } from '../../src/run/guest/boot-guest.ts';
import { openCopyBench } from '../../src/run/guest/guest-bench.ts';
import { type LiveLab, openLiveLab } from '../support/live-lab.ts';

const exec = promisify(execFile);
let lab: LiveLab;
let disk = '';

beforeAll(async () => {
  lab = await openLiveLab();
  await lab.write('[{ raw: { compression: zstd } }]', 'shim-signed', 'grub-efi-amd64-signed');
  const stdout = await lab.run('build', 'live', '--no-check');
  disk = stdout.split('\n').find((line) => line.endsWith('.raw.zst')) ?? '';
});
afterAll(() => lab.close());

async function write(name: string, ...options: readonly string[]): Promise<string> {
  const iso = join(lab.folder, `${name}.iso`);
  const all = ['level=3', 'timeout=1', ...options].flatMap((option) => ['--option', option]);
  await lab.run('convert', disk, '--to', 'iso', '--output', iso, '--arch', 'x86_64', ...all);
  return iso;
}

/** Three start at once. */
const patienceMs = 4 * 60_000;

type Machine = { readonly firmware: Firmware; readonly secureBoot?: boolean };

/** Boot from a drive and do something in the guest. */
async function inGuest(root: Drive, machine: Machine, act: (guest: BootedGuest) => Promise<void>): Promise<void> {
  const { firmware, secureBoot = false } = machine;
  const emit = () => undefined;
  const ctx: Context = { host: createHost(), signal: new AbortController().signal, emit, step: 'check' };
  const own = (name: string) => `${root.file.path}.${name}`;
  const folders = { scratch: own('scratch'), logs: own('logs'), state: own('state') };
  const shape = { arch: 'x86_64', memory: 1024 ** 3, cpus: 2, virtualization: 'auto', secureBoot } as const;
  const medium = { path: root.file.path, format: 'iso' } as const;
  const bench = await openCopyBench({ ...shape, medium, packages: [], ...folders }, ctx);
  try {
    const guest = await bootGuest(bench, { firmware, root: () => root, patienceMs }, ctx);
    try {
      await act(guest);
    } finally {
      await guest.stop();
    }
  } finally {
    await bench.close();
  }
}

async function told(guest: BootedGuest, text: string): Promise<string> {
  const { exitCode, stdout, stderr } = await guest.exec({ text });
  expect(`${exitCode} ${stderr}`).toBe('0 ');
  return stdout.trim();
}

// Each waits for a guest of its own most of the time.
test.concurrent.each(['bios', 'uefi'] as const)(
  'as a stick under %s it keeps changes on a file system with its label, behind the ISO',
  async (firmware) => {
    const stick = join(lab.folder, `stick-${firmware}.raw`);
    await copyFile(await write(`kept-${firmware}`, 'default=persistence', 'persistence=lab-17'), stick);
    const { size: start } = await stat(stick);
    await truncate(stick, start + 256 * 1024 * 1024);
    await addPartition(stick);
    const root: Drive = { id: 'disk', file: { path: stick, format: 'raw' }, boot: true };
    await inGuest(root, { firmware }, async (guest) => {
      const id = await told(guest, 'cat /etc/machine-id; cat /etc/ssh/ssh_host_ed25519_key.pub');
      await told(guest, 'echo kept > /root/note; sync');
      await guest.reboot();
      expect(await told(guest, 'cat /root/note')).toBe('kept');
      expect(await told(guest, 'cat /etc/machine-id; cat /etc/ssh/ssh_host_ed25519_key.pub')).toBe(id);
    });
  },
);

/** The partition and the file system of docs/live-iso.md, without root: made apart and laid in its place. */
async function addPartition(stick: string): Promise<void> {
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };
  const append = 'echo type=linux | sfdisk --quiet --append --wipe never "$0"';
  await exec('sh', ['-c', append, stick], { env });
  const { stdout } = await exec('sfdisk', ['--json', stick], { env });
  const table = JSON.parse(stdout) as { partitiontable: { partitions: { start: number; size: number }[] } };
  const place = table.partitiontable.partitions.at(-1);
  if (place === undefined) throw new Error('there is no partition');
  const tree = `${stick}.tree`;
  await exec('sh', ['-c', 'mkdir -p "$0" && echo "/ union" > "$0/persistence.conf"', tree]);
  const offset = `offset=${place.start * 512},root_owner=0:0`;
  const words = ['-q', '-F', '-t', 'ext4', '-b', '4096', '-L', 'lab-17', '-E', offset, '-d', tree];
  await exec('mke2fs', [...words, stick, String(Math.floor(place.size / 8))], { env });
}

test.concurrent('with toram all of it is in memory, also under Secure Boot, and the CD could be taken out', async () => {
  const path = await write('toram', 'default=toram');
  const root: Drive = { id: 'disk', file: { path, format: 'raw' }, readOnly: true, cdrom: true, boot: true };
  await inGuest(root, { firmware: 'uefi', secureBoot: true }, async (guest) => {
    await told(guest, 'dmesg | grep -q "Secure boot enabled"');
    expect(await told(guest, 'findmnt -no FSTYPE /run/live/medium')).toBe('tmpfs');
    expect(await told(guest, 'lsblk -no TYPE,MOUNTPOINTS /dev/sr0')).toBe('rom');
  });
});
