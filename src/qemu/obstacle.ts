import type { Arch } from '../core/arch.ts';
import { type Hypervisor, hypervisorOf } from './hypervisors.ts';

/** What stands between guests and hardware virtualization, and how it is mended, each in one line. */
export type Obstacle = { readonly found: string; readonly fix?: string };

/** How opening /dev/kvm for reading and writing ended. */
export type DeviceState =
  | 'open'
  /** There is no such file, or nothing behind it. */
  | 'absent'
  /** Its mode does not let us. */
  | 'denied'
  /** Root is not let either: a container's device rules. */
  | 'forbidden';

/** What a Linux machine says of itself; texts are empty where it says nothing. */
export type LinuxFacts = {
  readonly arch: Arch;
  readonly device: DeviceState;
  /** The group that owns the device, and whether the file lets it in. */
  readonly owner?: { readonly group: string; readonly isLetIn: boolean };
  readonly user: string;
  /** Groups of the user by the system's files, which a session started earlier does not have yet. */
  readonly groups: readonly string[];
  /** /proc/cpuinfo. */
  readonly cpuinfo: string;
  /** The kernel's own log; empty where it may not be read. */
  readonly kernelLog: string;
  /** The register that holds the firmware's switch, where it can be read: IA32_FEATURE_CONTROL or VM_CR. */
  readonly switchRegister?: bigint;
  /** Names of kernel modules, loaded or built in. */
  readonly modules: readonly string[];
  /** Vendor, product and firmware of the machine (DMI), and the kernel's release. */
  readonly hardware: string;
  /** `docker`, `lxc`: what kind of container this is, if it is one. */
  readonly container?: string;
};

/** Why /dev/kvm cannot be used on a Linux machine; undefined when it opens. */
export function obstacleOnLinux(facts: LinuxFacts): Obstacle | undefined {
  if (facts.device === 'open') return undefined;
  if (facts.device === 'denied') return notPermitted(facts);
  if (facts.device === 'forbidden') return hiddenByContainer(facts, 'may not be opened');
  return facts.arch === 'x86_64' ? noDeviceOnX86(facts) : noDeviceOnArm(facts);
}

/** Why guests do not run although /dev/kvm opens: `reason` is what was seen when one was booted. */
export function obstacleOfDeadDevice(facts: LinuxFacts, reason: string, verdicts: string): Obstacle {
  const found = `/dev/kvm opens, but a guest did not boot with it (${reason})`;
  const again = `then let it be tried again: rm ${verdicts}`;
  const nested = isVirtual(facts) ? nestedFix(facts) : 'update kernel and firmware of this machine';
  return { found, fix: `${nested}; ${again}` };
}

/** What a Mac says: `kern.hv_support` of sysctl(8), and what was seen when a guest was booted. */
export function obstacleOnMac(support: string, reason?: string): Obstacle | undefined {
  if (support.trim() !== '1') {
    return {
      found: 'this Mac offers no virtualization to programs (kern.hv_support is not 1)',
      fix: 'in a virtual machine: switch nested virtualization on for it (macOS 15 on an M3 or later)',
    };
  }
  if (reason === undefined) return undefined;
  const found = `a guest did not boot under Hypervisor.framework (${reason})`;
  if (!/HV_DENIED|entitlement/i.test(reason)) return { found, fix: 'brew upgrade qemu' };
  return { found: `QEMU lacks the right to virtualize (${reason})`, fix: 'brew reinstall qemu' };
}

type Maker = { readonly name: string; readonly module: string; readonly setting: string };

/** How processors call it, the kernel's module for it, and the switch in the firmware's setup. */
function makerOf({ cpuinfo }: LinuxFacts): Maker {
  return /^vendor_id\s*:\s*(AuthenticAMD|HygonGenuine)$/m.test(cpuinfo)
    ? { name: 'AMD-V', module: 'kvm_amd', setting: 'SVM Mode' }
    : { name: 'VT-x', module: 'kvm_intel', setting: 'Intel Virtualization Technology' };
}

function flagsOf({ cpuinfo }: LinuxFacts): ReadonlySet<string> {
  return new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.trim().split(/\s+/) ?? []);
}

function isCapable(facts: LinuxFacts): boolean {
  const flags = flagsOf(facts);
  return flags.has('vmx') || flags.has('svm');
}

/** A virtual machine that is not given virtualization itself. */
function isVirtual(facts: LinuxFacts): boolean {
  return flagsOf(facts).has('hypervisor') && !isCapable(facts);
}

function noDeviceOnX86(facts: LinuxFacts): Obstacle {
  const { name, module, setting } = makerOf(facts);
  if (isVirtual(facts)) {
    const name = below(facts)?.name;
    const machine = name === undefined ? 'a virtual machine' : `a virtual machine (${name})`;
    return { found: `this is ${machine} without nested virtualization`, fix: nestedFix(facts) };
  }
  // Linux takes the processor's flag away where the firmware switched it off, or keeps it and lets the module say so.
  if (isOffInFirmware(facts)) {
    return {
      found: `${name} is switched off in the firmware (BIOS setup) of this machine`,
      fix: `sudo systemctl reboot --firmware-setup   (there switch on "${setting}")`,
    };
  }
  if (!isCapable(facts)) return withoutFlag(facts);
  if (facts.container !== undefined) return hiddenByContainer(facts, 'is not in it');
  if (!facts.modules.includes(module)) {
    return { found: `no /dev/kvm: the kernel's module ${module} is not loaded`, fix: `sudo modprobe ${module}` };
  }
  return {
    found: `no /dev/kvm, though ${module} is loaded`,
    fix: 'sudo mknod -m 660 /dev/kvm c 10 232 && sudo chgrp kvm /dev/kvm',
  };
}

/** The kernel tells at its start when the firmware took the flag away; a log without that tells it was never there. */
function withoutFlag(facts: LinuxFacts): Obstacle {
  const { name, setting } = makerOf(facts);
  if (/Linux version/.test(facts.kernelLog)) return { found: `the processor has no ${name}`, fix: elsewhere };
  return {
    found: `the processor shows no ${name}: it has none, or it is switched off in the firmware (BIOS setup)`,
    fix: `sudo dmesg | grep -i 'disabled.*bios'   (if it is: switch on "${setting}" in the firmware's setup)`,
  };
}

const elsewhere = 'build on another machine';

function isOffInFirmware({ kernelLog, switchRegister, cpuinfo }: LinuxFacts): boolean {
  if (/(?:kvm|VMX|SVM)\b.*\bdisabled\b.*\bBIOS\b/i.test(kernelLog)) return true;
  if (switchRegister === undefined) return false;
  // VM_CR: bit 4 is SVMDIS (AMD APM 2, 15.30.1). IA32_FEATURE_CONTROL: bit 0 locks it, bit 2 allows VMX (Intel SDM 3).
  if (/AuthenticAMD|HygonGenuine/.test(cpuinfo)) return (switchRegister & 0x10n) !== 0n;
  return (switchRegister & 0b101n) === 0b001n;
}

function noDeviceOnArm(facts: LinuxFacts): Obstacle {
  if (facts.container !== undefined) return hiddenByContainer(facts, 'is not in it');
  if (/HYP mode not available/i.test(facts.kernelLog)) {
    return {
      found: 'no /dev/kvm: the kernel was started below the level that can virtualize (HYP mode not available)',
      fix: 'in a virtual machine: switch nested virtualization on where it runs; else start Linux from UEFI firmware',
    };
  }
  return { found: 'no /dev/kvm: the kernel has no KVM, or was not started at EL2', fix: elsewhere };
}

function notPermitted({ owner, user, groups }: LinuxFacts): Obstacle {
  const found = `/dev/kvm is not open to ${user}`;
  const group = owner?.group ?? 'kvm';
  if (owner !== undefined && (!owner.isLetIn || group === 'root' || group === 'UNKNOWN')) {
    return { found, fix: 'sudo chgrp kvm /dev/kvm && sudo chmod 660 /dev/kvm' };
  }
  if (groups.includes(group)) {
    return { found: `${found} yet: it is in group ${group} since after this session began`, fix: 'log in again' };
  }
  return { found, fix: `sudo usermod --append --groups ${group} ${user}   (then log in again)` };
}

function hiddenByContainer({ container = 'container' }: LinuxFacts, how: string): Obstacle {
  const found = `this is a container (${container}) and /dev/kvm ${how}`;
  return { found, fix: containerFixes[container] ?? 'give the container the device /dev/kvm of its host' };
}

const containerFixes: Readonly<Record<string, string>> = {
  docker: 'docker run --device /dev/kvm ...',
  podman: 'podman run --device /dev/kvm --group-add keep-groups ...',
  lxc: 'on the host: pct set ID --dev0 /dev/kvm (Proxmox), or incus config device add NAME kvm unix-char source=/dev/kvm',
  'systemd-nspawn': 'systemd-nspawn --bind=/dev/kvm --property=DeviceAllow="/dev/kvm rw" ...',
};

function below({ hardware, kernelLog }: LinuxFacts): Hypervisor | undefined {
  const detected = /^.*Hypervisor detected:.*$/m.exec(kernelLog)?.[0] ?? '';
  return hypervisorOf(`${hardware}\n${detected}`);
}

function nestedFix(facts: LinuxFacts): string {
  return below(facts)?.fix ?? `switch nested virtualization on where this machine runs, or ${elsewhere}`;
}
