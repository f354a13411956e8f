import { expect, test } from 'vitest';
import { facts, formatLab, noise, sha256 } from '../../../test/support/format-lab.ts';
import { compareVma, walkVma } from '../vma/read.ts';
import { serverConfig, vma } from './vma.ts';

const lab = formatLab();
const options = (some: object = {}) =>
  vma.options.parse({ compression: 'none', ...some }) as Parameters<typeof serverConfig>[0];
const identity = 'ab';

/** A reader that shares nothing with ours: from the text of the specification, in another language. */
const reader = `
import hashlib, struct, sys
data = open(sys.argv[1], 'rb').read()
assert data[:4] == b'VMA\\0' and struct.unpack('>I', data[4:8])[0] == 1
blob_at, blob_size, size = struct.unpack('>III', data[48:60])
assert hashlib.md5(data[:32] + bytes(16) + data[48:size]).digest() == data[32:48]
assert blob_at == 12288 and blob_at + blob_size <= size and size % 512 == 0
def blob(at): n = struct.unpack('<H', data[blob_at + at:blob_at + at + 2])[0]; return data[blob_at + at + 2:blob_at + at + 2 + n]
for i in range(256):
    n, d = struct.unpack('>I', data[2044 + 4 * i:2048 + 4 * i])[0], struct.unpack('>I', data[3068 + 4 * i:3072 + 4 * i])[0]
    if n: print(blob(n), blob(d).decode(), end='')
devices = {}
for i in range(256):
    n, zero, length, a, b = struct.unpack('>IIQQQ', data[4096 + 32 * i:4128 + 32 * i])
    if n: devices[i] = (blob(n), length)
print(devices)
disk, seen, at = bytearray(devices[1][1]), set(), size
while at < len(data):
    head = data[at:at + 512]
    assert head[:4] == b'VMAE' and head[8:24] == data[8:24]
    assert hashlib.md5(head[:24] + bytes(16) + head[40:]).digest() == head[24:40]
    count, at = struct.unpack('>H', head[6:8])[0], at + 512
    for i in range(59):
        mask, zero, dev, cluster = struct.unpack('>HBBI', head[40 + 8 * i:48 + 8 * i])
        if dev == 0: continue
        assert dev == 1 and cluster not in seen
        seen.add(cluster)
        for bit in range(16):
            if mask >> bit & 1:
                place = cluster * 65536 + bit * 4096
                assert place < len(disk)
                n = min(4096, len(disk) - place)
                disk[place:place + n], at, count = data[at:at + n], at + 4096, count - 1
    assert count == 0
assert at == len(data) and seen == set(range((len(disk) + 65535) // 65536))
open(sys.argv[2], 'wb').write(disk)
`;

test.each([
  ['whole clusters', 64 * 1024 ** 2],
  ['an odd end', 64 * 1024 ** 2 - 65_536 - 1536],
])('another reader finds the very disk and its settings (%s)', async (_, bytes) => {
  const disk = await lab.disk();
  await lab.run('truncate', '-s', String(bytes), disk);
  const archive = await lab.write(vma, { compression: 'none' }, disk, lab.path('lab.vma'));
  const said = await lab.run('python3', '-c', reader, archive, lab.path('back'));
  expect(said).toContain("b'qemu-server.conf\\x00' agent: enabled=1\n");
  expect(said).toContain(`{1: (b'drive-scsi0\\x00', ${bytes})}`);
  await lab.run('cmp', disk, lab.path('back'));
});

test('ours finds it too, in every compression, and it is the same twice', async () => {
  const disk = await lab.disk();
  await lab.run('cp', '--sparse=never', disk, lab.path('full.raw'));
  for (const compression of ['none', 'zstd', 'gzip']) {
    const file = await lab.write(vma, { compression }, disk, lab.path('one'));
    const twin = await lab.write(vma, { compression }, lab.path('full.raw'), lab.path('two'));
    expect(await sha256(twin)).toBe(await sha256(file));
    expect(await vma.unpack?.(options({ compression }), { file, output: lab.path('back') }, lab.ctx)).toBe('raw');
    await lab.run('cmp', disk, lab.path('back'));
    expect(await lab.ctx.host.files.stat(lab.path('back.vma'))).toBeUndefined();
  }
  await expect(lab.run('zstd', '-q', '-t', await lab.write(vma, {}, disk, lab.path('lab.vma.zst')))).resolves.toBe('');
});

test('a machine for each firmware and architecture', () => {
  const bytes = 2 * 1024 ** 3;
  const image = { ...facts, name: 'debian 13' };
  const config = serverConfig(options({ memory: '4G', cpus: 3 }), { image, identity, bytes });
  expect(config.replace(/(BC:24:11)(:[0-9A-F]{2}){3}/, '$1:..')).toBe(
    `agent: enabled=1
boot: order=scsi0
cores: 3
cpu: x86-64-v2-AES
memory: 4096
name: debian-13
net0: virtio=BC:24:11:..,bridge=vmbr0
ostype: l26
scsi0: local:vm-100-disk-0,discard=on,iothread=1,size=2G,ssd=1
scsihw: virtio-scsi-single
serial0: socket
#qmdump#map:scsi0:drive-scsi0::raw:
`,
  );
  const uefi = serverConfig(options({ firmware: 'uefi', 'cloud-init': true }), { image, identity, bytes });
  expect(uefi).toContain('bios: ovmf\n');
  expect(uefi).toContain('ide2: local:vm-100-cloudinit,media=cdrom\n');
  const arm = serverConfig(options(), {
    image: { ...image, arch: 'aarch64', firmware: ['uefi'] },
    identity,
    bytes: 3 * 1024 ** 2,
  });
  expect(arm).toContain('arch: aarch64\nbios: ovmf\n');
  expect(arm).toContain('size=3M,');
  expect(() =>
    serverConfig(options({ firmware: 'bios' }), { image: { ...image, firmware: ['uefi'] }, identity, bytes }),
  ).toThrow('does not boot under');
});

const whole = async () => {
  const disk = await lab.disk();
  return { disk, archive: await lab.write(vma, { compression: 'none' }, disk, lab.path('lab.vma')) };
};

async function damage(archive: string, offset: number, bytes: Uint8Array) {
  const file = await lab.ctx.host.files.open(archive, 'change');
  await file.write(offset, bytes);
  await file.close();
}

test('an archive is compared with its disk to the last byte', async () => {
  const { disk, archive } = await whole();
  await expect(compareVma(archive, disk, lab.ctx)).resolves.toBeUndefined();
  const size = (await lab.ctx.host.files.stat(archive))?.size ?? 0;
  await damage(archive, size - 100, Buffer.from([7]));
  await expect(compareVma(archive, disk, lab.ctx)).rejects.toThrow(/differs from the other one at byte \d+/);
});

test.each([
  ['a block that the disk has and the archive not', 30 * 1024 ** 2],
  ['a block that both have', 1024 ** 2],
])('it is told when the disk is another one: %s', async (_, at) => {
  const { disk, archive } = await whole();
  await damage(disk, at, noise('other', 10));
  await expect(compareVma(archive, disk, lab.ctx)).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
});

test('a file that is compressed is proved by its archive: whole to its last byte, and of that disk', async () => {
  const disk = await lab.disk();
  const file = await lab.write(vma, { compression: 'zstd' }, disk, lab.path('lab.vma.zst'));
  const prove = (of: string | undefined) =>
    vma.prove?.(vma.options.parse({ compression: 'zstd' }), { file, scratch: lab.path('.'), disk: of }, lab.ctx);
  await prove(disk);
  await prove(undefined);
  await damage(disk, 1024 ** 2, noise('other', 10));
  await expect(prove(disk)).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  const archive = await lab.write(vma, { compression: 'none' }, disk, lab.path('cut.vma'));
  await lab.run('truncate', '-s', '-1', archive);
  const cut = { file: archive, scratch: lab.path('.'), disk: undefined };
  const proved = vma.prove?.(vma.options.parse({ compression: 'none' }), cut, lab.ctx);
  await expect(proved).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
});

test('a disk that is longer or shorter is another one', async () => {
  const { disk, archive } = await whole();
  await lab.run('truncate', '-s', '+512', disk);
  await expect(compareVma(archive, disk, lab.ctx)).rejects.toThrow('the other one more');
  await lab.run('truncate', '-s', '60M', disk);
  await expect(compareVma(archive, disk, lab.ctx)).rejects.toThrow('differs');
});

test.each([
  ['a byte of the header', 100, 'the checksum of its header is wrong'],
  ['the magic', 0, 'it is no VMA archive'],
  ['a version from tomorrow', 7, 'it has version 7, only 1 is known'],
  ['a byte of an extent header', 12_800 + 450, 'has a wrong checksum'],
  ['the magic of an extent', 12_800, 'does not begin as one'],
])('damage is named: %s', async (_, at, words) => {
  const { archive } = await whole();
  await damage(archive, at, Buffer.from([7]));
  const back = vma.unpack?.(options(), { file: archive, output: lab.path('back') }, lab.ctx);
  await expect(back).rejects.toMatchObject({ code: 'INPUT_REFUSED', message: expect.stringContaining(words) });
});

test.each([
  ['cut off within blocks', -1, 'is cut off'],
  ['cut off within a header', -1_000_000, /cut off|is missing/],
  ['something behind the end', 100, 'is cut off: it has 100 bytes'],
])('its length is exact: %s', async (_, more, words) => {
  const { archive } = await whole();
  const size = (await lab.ctx.host.files.stat(archive))?.size ?? 0;
  await lab.run('truncate', '-s', String(size + more), archive);
  const file = await lab.ctx.host.files.open(archive, 'read');
  await expect(walkVma(file, async () => undefined)).rejects.toThrow(words);
  await file.close();
});
