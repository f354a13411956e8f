import { type Arch, archFromNode } from '../core/arch.ts';
import type { Host } from '../core/host.ts';
import {
  type DeviceState,
  type LinuxFacts,
  type Obstacle,
  obstacleOfDeadDevice,
  obstacleOnLinux,
  obstacleOnMac,
} from './obstacle.ts';

/** What stands in the way of hardware virtualization here, as far as it shows without booting a guest. */
export async function findObstacle(arch: Arch, host: Host): Promise<Obstacle | undefined> {
  if (archFromNode(host.arch) !== arch) return { found: `the processor of this machine is not ${arch}` };
  if (host.platform === 'darwin') return obstacleOnMac(await output(host, 'sysctl', '-n', 'kern.hv_support'));
  if (host.platform !== 'linux') return { found: `no virtualization on ${host.platform}` };
  const device = await openDevice(host);
  return device === 'open' ? undefined : obstacleOnLinux(await linuxFacts(arch, device, host));
}

/** What stands in the way where a guest was booted and did not come up; `verdicts` is the file that remembers it. */
export async function explainDead(arch: Arch, reason: string, verdicts: string, host: Host): Promise<Obstacle> {
  if (host.platform === 'darwin') return obstacleOnMac('1', reason) ?? { found: reason };
  return obstacleOfDeadDevice(await linuxFacts(arch, 'open', host), reason, verdicts);
}

async function openDevice(host: Host): Promise<DeviceState> {
  if ((await host.files.stat('/dev/kvm')) === undefined) return 'absent';
  const tried = await host.run({ argv: ['sh', '-c', ': <>/dev/kvm'], env: { LC_ALL: 'C' } }, { ok: [0, 1, 2] });
  return deviceState(tried.exitCode, tried.stderr);
}

/** How opening the device went, by the words of a shell. */
export function deviceState(exitCode: number, said: string): DeviceState {
  if (exitCode === 0) return 'open';
  // A file made ahead of its module is there without anything behind it.
  if (/No such (device|file)/i.test(said)) return 'absent';
  return /not permitted/i.test(said) ? 'forbidden' : 'denied';
}

async function linuxFacts(arch: Arch, device: DeviceState, host: Host): Promise<LinuxFacts> {
  const [cpuinfo, kernelLog, groups, owner, modules, hardware, container] = await Promise.all([
    text(host, '/proc/cpuinfo'),
    output(host, 'dmesg'),
    output(host, 'id', '-nG', host.user.name),
    output(host, 'stat', '-c', '%G %a', '/dev/kvm'),
    host.files.list('/sys/module').catch(() => []),
    hardwareWords(host),
    containerOf(host),
  ]);
  const switchRegister = await readSwitch(cpuinfo, host);
  const owned = ownerOf(owner);
  return {
    ...{ arch, device, user: host.user.name, cpuinfo, kernelLog, modules, hardware },
    groups: groups.split(/\s+/),
    ...(owned === undefined ? {} : { owner: owned }),
    ...(switchRegister === undefined ? {} : { switchRegister }),
    ...(container === undefined ? {} : { container }),
  };
}

/** Group and mode of a file as `stat -c '%G %a'` tells them. */
export function ownerOf(said: string): LinuxFacts['owner'] | undefined {
  const [, group, mode] = /^(\S+) [0-7]*([0-7])[0-7]$/.exec(said.trim()) ?? [];
  return group === undefined ? undefined : { group, isLetIn: (Number(mode) & 6) === 6 };
}

async function hardwareWords(host: Host): Promise<string> {
  const dmi = ['sys_vendor', 'product_name', 'bios_vendor'].map((name) => `/sys/class/dmi/id/${name}`);
  const words = await Promise.all([...dmi, '/proc/sys/kernel/osrelease'].map((path) => text(host, path)));
  return words.map((word) => word.trim()).join('\n');
}

async function containerOf(host: Host): Promise<string | undefined> {
  const named = (await text(host, '/run/systemd/container')).trim();
  if (named !== '') return named;
  if ((await host.files.stat('/run/.containerenv')) !== undefined) return 'podman';
  return (await host.files.stat('/.dockerenv')) === undefined ? undefined : 'docker';
}

/** Only root can read it, and only with the kernel's module msr. */
async function readSwitch(cpuinfo: string, host: Host): Promise<bigint | undefined> {
  const offset = /AuthenticAMD|HygonGenuine/.test(cpuinfo) ? 0xc001_0114 : 0x3a;
  const bytes = await host.files.read('/dev/cpu/0/msr', { offset, length: 8 }).catch(() => undefined);
  return bytes?.length === 8 ? bytes.readBigUInt64LE() : undefined;
}

async function text(host: Host, path: string): Promise<string> {
  return (await host.files.readText(path).catch(() => undefined)) ?? '';
}

/** What a program prints; nothing where it fails or is missing. */
async function output(host: Host, ...argv: readonly [string, ...string[]]): Promise<string> {
  const ran = await host.run({ argv, env: { LC_ALL: 'C' } }).catch(() => undefined);
  return ran?.stdout ?? '';
}
