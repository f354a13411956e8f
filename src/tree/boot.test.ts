import { expect, test } from 'vitest';
import { biosBoot, loaderScript, parseLoader, platformsOf } from './boot.ts';

test('the boot sector is told where the core starts and, of its 512 bytes, only the code area is given', () => {
  const { code } = biosBoot(Buffer.alloc(512, 0xaa), Buffer.alloc(512), 2048);
  expect(code).toHaveLength(440);
  expect(code.readBigUInt64LE(0x5c)).toBe(2048n);
  expect(code.subarray(0x66, 0x68).toString('hex')).toBe('9090');
  const untouched = Buffer.concat([code.subarray(0, 0x5c), code.subarray(0x64, 0x66), code.subarray(0x68)]);
  expect(untouched.equals(Buffer.alloc(untouched.length, 0xaa))).toBe(true);
});

test.each([
  [512, 1],
  [513, 2],
  [1024, 2],
  [60_000, 118],
])('a core image of %d bytes is filled up to %d sectors and told where its rest is', (bytes, sectors) => {
  const { core } = biosBoot(Buffer.alloc(512), Buffer.alloc(bytes, 0xbb), 4096);
  expect(core).toHaveLength(sectors * 512);
  expect(core.readBigUInt64LE(0x1f4)).toBe(4097n);
  expect(core.readUInt16LE(0x1fc)).toBe(sectors - 1);
  expect(core.subarray(0x1fe, bytes).equals(Buffer.alloc(bytes - 0x1fe, 0xbb))).toBe(true);
  expect(core.subarray(bytes).every((byte) => byte === 0)).toBe(true);
});

test('what is given in stays as it was', () => {
  const [boot, core] = [Buffer.alloc(512), Buffer.alloc(700)];
  biosBoot(boot, core, 1);
  expect(Buffer.concat([boot, core]).every((byte) => byte === 0)).toBe(true);
});

test('x86_64 boots under BIOS and UEFI, aarch64 under UEFI', () => {
  expect(platformsOf('x86_64')).toEqual(['bios', 'x86_64']);
  expect(platformsOf('aarch64')).toEqual(['aarch64']);
});

test.each([
  ['bios', 'x86_64', 'ext4', 'i386-pc', 'biosdisk', 'ext2'],
  ['x86_64', 'x86_64', 'btrfs', 'x86_64-efi', 'fat', 'btrfs'],
  ['aarch64', 'aarch64', 'xfs', 'arm64-efi', 'fat', 'xfs'],
] as const)('the core image for %s on %s finds a root on %s', (platform, arch, filesystem, grub, disk, module) => {
  const { text, args } = loaderScript(arch, '11-22', filesystem);
  const made = text.split('\n').find((row) => row.startsWith(`grub-mkimage -O ${grub} -d /usr/lib/grub/${grub} `));
  expect(text).toContain(`printf '${platform} %s`);
  expect(made?.split(' ')).toEqual(expect.arrayContaining(['part_gpt', 'search_fs_uuid', disk, module]));
  expect(args).toEqual(['search.fs_uuid 11-22 root\nset prefix=($root)/boot/grub\n']);
});

test('the packages of the boot loaders are named that an image lacks, and nothing is made then', () => {
  const { text } = loaderScript('x86_64', '11-22', 'ext4');
  expect(text).toContain('[ -d /usr/lib/grub/i386-pc ] || lacks grub-pc-bin\n');
  expect(text).toContain('[ -d /usr/lib/grub/x86_64-efi ] || lacks grub-efi-amd64-bin\n');
  expect(text.indexOf('exit 0')).toBeLessThan(text.indexOf('grub-mkimage -O'));
  expect(loaderScript('aarch64', '11-22', 'ext4').text).toContain('lacks grub-efi-arm64-bin');
});

test('what the script prints is read back', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const loader = parseLoader(`sector ${base64('boot')}\nbios ${base64('one')}\nx86_64 ${base64('two')}\n`);
  expect(loader.missing).toEqual([]);
  expect([loader.bootSector, loader.cores.bios, loader.cores.x86_64].map(String)).toEqual(['boot', 'one', 'two']);
  expect(loader.cores.aarch64).toBeUndefined();
  expect(parseLoader('missing grub-common\nmissing grub-pc-bin\n').missing).toEqual(['grub-common', 'grub-pc-bin']);
});
