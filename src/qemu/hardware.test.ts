import { expect, test } from 'vitest';
import type { Host, RunResult } from '../core/host.ts';
import { deviceState, explainDead, findObstacle, ownerOf } from './hardware.ts';

/** A machine with these files, whose programs print these texts; opening the device ends as it is told. */
function machine(given: {
  readonly files?: Readonly<Record<string, string>>;
  readonly prints?: Readonly<Record<string, string>>;
  readonly opening?: Pick<RunResult, 'exitCode' | 'stderr'>;
  readonly platform?: NodeJS.Platform;
  readonly msr?: Buffer;
}): Host {
  const { files = {}, prints = {}, opening = { exitCode: 0, stderr: '' }, platform = 'linux', msr } = given;
  const port = {
    readText: async (path: string) => files[path],
    stat: async (path: string) => (path in files ? { kind: 'other' } : undefined),
    list: async () => Object.keys(files).flatMap((path) => path.split('/sys/module/').slice(1)),
    read: async () => {
      if (msr === undefined) throw new Error('EACCES');
      return msr;
    },
  };
  const run = async ({ argv }: { argv: readonly string[] }) => {
    if (argv[0] === 'sh') return { stdout: '', ...opening };
    const stdout = prints[argv[0] ?? ''];
    if (stdout === undefined) throw new Error('no such program, or not for us');
    return { exitCode: 0, stdout, stderr: '' };
  };
  return { platform, arch: 'x64', files: port, run, user: { uid: 1, gid: 1, name: 'ann' } } as unknown as Host;
}

const intel = 'vendor_id : GenuineIntel\nflags : fpu vmx\n';

test('a device that opens is no obstacle, whatever else the machine says', async () => {
  expect(await findObstacle('x86_64', machine({ files: { '/dev/kvm': '' } }))).toBeUndefined();
});

test.each([
  [{ files: { '/proc/cpuinfo': intel } }, /^sudo modprobe kvm_intel$/],
  [{ files: { '/proc/cpuinfo': intel, '/sys/module/kvm_intel': '' } }, /^sudo mknod/],
  [{ files: { '/proc/cpuinfo': intel, '/.dockerenv': '' } }, /^docker run/],
  [{ files: { '/proc/cpuinfo': intel, '/run/.containerenv': '', '/.dockerenv': '' } }, /^podman run/],
  [{ files: { '/proc/cpuinfo': intel, '/run/systemd/container': 'lxc\n' } }, /Proxmox/],
  [{ files: { '/proc/cpuinfo': intel }, msr: Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]) }, /firmware-setup/],
  [{ files: { '/proc/cpuinfo': intel }, prints: { dmesg: 'kvm: disabled by bios' } }, /firmware-setup/],
  [{ files: { '/proc/cpuinfo': 'flags : hypervisor', '/sys/class/dmi/id/sys_vendor': 'VMware, Inc.' } }, /vhv\.enable/],
])('without the device, what the machine says leads to what mends it: %j', async (given, fix) => {
  const obstacle = await findObstacle('x86_64', machine(given));
  expect(obstacle?.fix).toMatch(fix);
});

const denied = { exitCode: 2, stderr: 'sh: 1: cannot open /dev/kvm: Permission denied' };

test.each([
  ['kvm 660', 'ann users', 'sudo usermod --append --groups kvm ann   (then log in again)'],
  ['kvm 660', 'ann kvm', 'log in again'],
  ['root 600', 'ann', 'sudo chgrp kvm /dev/kvm && sudo chmod 660 /dev/kvm'],
])('a device of %s is not open to somebody in the groups %s', async (stat, id, fix) => {
  const given = { files: { '/dev/kvm': '' }, prints: { stat, id }, opening: denied };
  expect(await findObstacle('x86_64', machine(given))).toMatchObject({ fix });
});

test('a device file with nothing behind it is none', async () => {
  const opening = { exitCode: 2, stderr: 'sh: 1: cannot open /dev/kvm: No such device' };
  const given = { files: { '/dev/kvm': '', '/proc/cpuinfo': intel }, opening };
  expect(await findObstacle('x86_64', machine(given))).toMatchObject({ fix: 'sudo modprobe kvm_intel' });
});

test.each([
  [0, '', 'open'],
  [2, 'cannot open /dev/kvm: No such file', 'absent'],
  [1, 'bash: /dev/kvm: No such device or address', 'absent'],
  [2, 'sh: 1: cannot create /dev/kvm: Operation not permitted', 'forbidden'],
  [2, 'sh: 1: cannot create /dev/kvm: Permission denied', 'denied'],
])('a shell that ends with %d and says %j found the device %s', (code, said, state) => {
  expect(deviceState(code, said)).toBe(state);
});

test.each([
  ['kvm 660\n', { group: 'kvm', isLetIn: true }],
  ['root 600\n', { group: 'root', isLetIn: false }],
  ['kvm 1640', { group: 'kvm', isLetIn: false }],
  ['', undefined],
])('owner and mode from %j', (said, owner) => {
  expect(ownerOf(said)).toEqual(owner);
});

test('another architecture and another system are told as such, and a Mac is asked', async () => {
  expect((await findObstacle('aarch64', machine({})))?.found).toMatch(/not aarch64/);
  expect((await findObstacle('x86_64', machine({ platform: 'freebsd' })))?.found).toMatch(/freebsd/);
  const mac = (said: string) => findObstacle('x86_64', machine({ platform: 'darwin', prints: { sysctl: said } }));
  expect(await mac('1\n')).toBeUndefined();
  expect((await mac('0\n'))?.found).toMatch(/hv_support/);
});

test('a guest that did not boot is explained by what the machine says', async () => {
  const files = { '/proc/cpuinfo': 'flags : hypervisor', '/sys/class/dmi/id/product_name': 'VirtualBox' };
  expect(await explainDead('x86_64', 'it hung', '/v', machine({ files }))).toEqual({
    found: '/dev/kvm opens, but a guest did not boot with it (it hung)',
    fix: expect.stringMatching(/nested-hw-virt on; then .*rm \/v/),
  });
  expect((await explainDead('x86_64', 'HV_DENIED', '/v', machine({ platform: 'darwin' }))).fix).toMatch(/brew/);
});
