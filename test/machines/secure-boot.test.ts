import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import { createConsole } from '../../src/guest/console.ts';
import { createHost } from '../../src/host/host.ts';
import { prepareUefi } from '../../src/qemu/firmware.ts';
import { startMachine } from '../../src/qemu/machine.ts';
import { translator } from '../../src/qemu/translator.ts';

const exec = promisify(execFile);
const host = createHost();
let folder = '';

// Debian's own loaders and kernel, signed and not: a machine without a disk image of its own.
const fetchScript = `cd "$0"
kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p')
apt-get -q download shim-signed grub-efi-amd64-signed grub-efi-amd64-bin "$kernel"
for package in *.deb; do dpkg-deb -x "$package" .; done
grub-mkimage -O x86_64-efi -d usr/lib/grub/x86_64-efi -p /EFI/debian -o unsigned.efi part_gpt fat normal linux`;

const diskScript = `cd "$0"
export MTOOLS_SKIP_CHECK=1
truncate -s 80M "$1"
printf 'label: gpt\\nstart=2048, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\\n' | sfdisk -q "$1"
mformat -i "$1@@1M" -F -T 159744 ::
mmd -i "$1@@1M" ::/EFI ::/EFI/BOOT ::/EFI/debian
mcopy -i "$1@@1M" "$2" ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$1@@1M" "$3" ::/EFI/BOOT/grubx64.efi
mcopy -i "$1@@1M" grub.cfg ::/EFI/debian/grub.cfg
mcopy -i "$1@@1M" boot/vmlinuz-* ::/vmlinuz`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-secure-'));
  await exec('sh', ['-euc', fetchScript, folder]);
  await writeFile(join(folder, 'grub.cfg'), 'linux /vmlinuz console=ttyS0 panic=-1\nboot\n');
}, 300_000);
afterAll(() => rm(folder, { recursive: true }));

const shim = 'usr/lib/shim/shimx64.efi.signed';
const grub = 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed';
const unsigned = 'unsigned.efi';

/** Boot a disk with these loaders; what the console said until the machine ended or came to a dead end. */
async function boot(loaders: { readonly first: string; readonly second: string }, secureBoot: boolean) {
  const disk = join(folder, 'disk.raw');
  await rm(disk, { force: true });
  await exec('sh', ['-euc', diskScript, folder, disk, loaders.first, loaders.second]);
  const sockets = join(folder, 'sockets');
  await rm(sockets, { recursive: true, force: true });
  await mkdir(sockets);
  const ctx: Context = { host, signal: AbortSignal.timeout(240_000), emit: () => undefined, step: 'boot' };
  const firmware = await prepareUefi({ arch: 'x86_64', secureBoot }, join(sockets, 'vars.fd'), ctx);
  const lines: string[] = [];
  const trouble = Promise.withResolvers<string>();
  const console = createConsole({ onLine: (line) => void lines.push(line), onTrouble: trouble.resolve });
  const machine = await startMachine(
    {
      ...{ arch: 'x86_64', accelerator: translator('x86_64'), memory: 1024 ** 3, cpus: 1, firmware, sockets },
      drives: [{ id: 'disk', file: { path: disk, format: 'raw' }, boot: true }],
      serialLog: join(sockets, 'serial.log'),
    },
    { onSerial: (bytes) => console.add(bytes) },
    ctx,
  );
  try {
    const ended = await Promise.race([trouble.promise, machine.ended.then(({ message }) => message)]);
    return { ended, said: lines.join('\n') };
  } finally {
    await machine.stop();
  }
}

test("Debian's signed chain boots under Secure Boot, and its kernel knows that it does", async () => {
  const { ended, said } = await boot({ first: shim, second: grub }, true);
  // Without a root file system that is as far as a kernel gets.
  expect(ended).toBe('the kernel panicked');
  expect(said).toContain('Secure boot enabled');
  expect(said).toContain('Linux version');
});

test.each([
  ['the firmware', { first: unsigned, second: grub }],
  ['the shim', { first: shim, second: unsigned }],
])('a loader that is not signed is refused by %s, and that is told', async (_, loaders) => {
  const { ended, said } = await boot(loaders, true);
  expect(ended).toContain('Secure Boot refused');
  expect(said).not.toContain('Linux version');
});

test('without Secure Boot the same loader boots', async () => {
  const { ended, said } = await boot({ first: unsigned, second: grub }, false);
  expect(ended).toBe('the kernel panicked');
  expect(said).not.toContain('Secure boot enabled');
});
