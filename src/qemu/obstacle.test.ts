import { expect, test } from 'vitest';
import { type LinuxFacts, obstacleOfDeadDevice, obstacleOnLinux, obstacleOnMac } from './obstacle.ts';

const intel = 'vendor_id\t: GenuineIntel\nflags\t\t: fpu vmx lm\n';
const amd = 'vendor_id\t: AuthenticAMD\nflags\t\t: fpu svm lm\n';
const without = (cpuinfo: string) => cpuinfo.replace(/ (vmx|svm)/, '');
const inGuest = (cpuinfo: string) => without(cpuinfo).replace(' lm', ' lm hypervisor');
const booted = '[    0.000000] Linux version 6.1.0-31-amd64 (debian)\n';

const machine: LinuxFacts = {
  ...{ arch: 'x86_64', device: 'absent', user: 'ann', groups: ['ann'], cpuinfo: intel, kernelLog: '' },
  ...{ modules: ['kvm', 'kvm_intel'], hardware: 'LENOVO\nThinkCentre\nLENOVO\n6.1.0-31-amd64' },
};

test('nothing stands in the way where the device opens', () => {
  expect(obstacleOnLinux({ ...machine, device: 'open', cpuinfo: '' })).toBeUndefined();
});

test.each<[string, Partial<LinuxFacts>, string, string]>([
  [
    'an old processor',
    { cpuinfo: without(intel), kernelLog: booted },
    'the processor has no VT-x',
    'build on another machine',
  ],
  [
    'a processor of which nobody knows, since the log is closed',
    { cpuinfo: without(amd) },
    'the processor shows no AMD-V: it has none, or it is switched off in the firmware (BIOS setup)',
    `sudo dmesg | grep -i 'disabled.*bios'   (if it is: switch on "SVM Mode" in the firmware's setup)`,
  ],
  [
    'VT-x off in the firmware, as Linux 5.6 and later tells it',
    { cpuinfo: without(intel), kernelLog: `${booted}[    0.1] x86/cpu: VMX (outside TXT) disabled by BIOS\n` },
    'VT-x is switched off in the firmware (BIOS setup) of this machine',
    'sudo systemctl reboot --firmware-setup   (there switch on "Intel Virtualization Technology")',
  ],
  [
    'VT-x off in the firmware, as the module of an older Linux tells it',
    { modules: ['kvm'], kernelLog: `${booted}[    4.2] kvm: disabled by bios\n` },
    'VT-x is switched off in the firmware (BIOS setup) of this machine',
    'sudo systemctl reboot --firmware-setup   (there switch on "Intel Virtualization Technology")',
  ],
  [
    'AMD-V off in the firmware',
    { cpuinfo: without(amd), kernelLog: `${booted}[    0.1] kvm_amd: SVM disabled (by BIOS) in MSR_VM_CR on CPU 3\n` },
    'AMD-V is switched off in the firmware (BIOS setup) of this machine',
    'sudo systemctl reboot --firmware-setup   (there switch on "SVM Mode")',
  ],
  [
    'VT-x off by the register, where the log is closed',
    { cpuinfo: without(intel), switchRegister: 0b1n },
    'VT-x is switched off in the firmware (BIOS setup) of this machine',
    'sudo systemctl reboot --firmware-setup   (there switch on "Intel Virtualization Technology")',
  ],
  [
    'AMD-V off by the register',
    { cpuinfo: amd, modules: [], switchRegister: 0x18n },
    'AMD-V is switched off in the firmware (BIOS setup) of this machine',
    'sudo systemctl reboot --firmware-setup   (there switch on "SVM Mode")',
  ],
  [
    'the module of Intel not loaded, though its register allows it',
    { modules: ['kvm'], switchRegister: 0b101n },
    "no /dev/kvm: the kernel's module kvm_intel is not loaded",
    'sudo modprobe kvm_intel',
  ],
  [
    'the module of AMD not loaded',
    { cpuinfo: amd },
    "no /dev/kvm: the kernel's module kvm_amd is not loaded",
    'sudo modprobe kvm_amd',
  ],
  [
    'the device file lost',
    {},
    'no /dev/kvm, though kvm_intel is loaded',
    'sudo mknod -m 660 /dev/kvm c 10 232 && sudo chgrp kvm /dev/kvm',
  ],
  [
    'a container that was not given the device',
    { container: 'docker' },
    'this is a container (docker) and /dev/kvm is not in it',
    'docker run --device /dev/kvm ...',
  ],
  [
    'a container whose rules refuse the device to root',
    { container: 'lxc', device: 'forbidden', user: 'root' },
    'this is a container (lxc) and /dev/kvm may not be opened',
    'on the host: pct set ID --dev0 /dev/kvm (Proxmox), or incus config device add NAME kvm unix-char source=/dev/kvm',
  ],
  [
    'a container of an unknown kind',
    { container: 'mine', device: 'forbidden' },
    'this is a container (mine) and /dev/kvm may not be opened',
    'give the container the device /dev/kvm of its host',
  ],
  [
    'a user outside the group',
    { device: 'denied', owner: { group: 'kvm', isLetIn: true } },
    '/dev/kvm is not open to ann',
    'sudo usermod --append --groups kvm ann   (then log in again)',
  ],
  [
    'a user outside a group of another name',
    { device: 'denied', owner: { group: 'qemu', isLetIn: true } },
    '/dev/kvm is not open to ann',
    'sudo usermod --append --groups qemu ann   (then log in again)',
  ],
  [
    'a user who was put into the group a moment ago',
    { device: 'denied', owner: { group: 'kvm', isLetIn: true }, groups: ['ann', 'kvm'] },
    '/dev/kvm is not open to ann yet: it is in group kvm since after this session began',
    'log in again',
  ],
  [
    "root's device",
    { device: 'denied', owner: { group: 'root', isLetIn: true } },
    '/dev/kvm is not open to ann',
    'sudo chgrp kvm /dev/kvm && sudo chmod 660 /dev/kvm',
  ],
  [
    'a device that lets no group in',
    { device: 'denied', owner: { group: 'kvm', isLetIn: false } },
    '/dev/kvm is not open to ann',
    'sudo chgrp kvm /dev/kvm && sudo chmod 660 /dev/kvm',
  ],
  [
    'an arm board that starts too low',
    { arch: 'aarch64', cpuinfo: '', modules: [], kernelLog: '[    0.2] kvm [1]: HYP mode not available\n' },
    'no /dev/kvm: the kernel was started below the level that can virtualize (HYP mode not available)',
    'in a virtual machine: switch nested virtualization on where it runs; else start Linux from UEFI firmware',
  ],
  [
    'an arm kernel without KVM',
    { arch: 'aarch64', cpuinfo: '', modules: [] },
    'no /dev/kvm: the kernel has no KVM, or was not started at EL2',
    'build on another machine',
  ],
])('what stands in the way, and what mends it: %s', (_, facts, found, fix) => {
  expect(obstacleOnLinux({ ...machine, ...facts })).toEqual({ found, fix });
});

test.each<[string, Partial<LinuxFacts>, RegExp]>([
  ['KVM', { hardware: 'QEMU\nStandard PC (Q35 + ICH9, 2009)\nSeaBIOS' }, /nested=1.*host-passthrough.*--cpu host/],
  [
    'Proxmox',
    { hardware: 'QEMU\nStandard PC\nProxmox distribution of EDK II' },
    /^on the Proxmox host: qm set ID --cpu host/,
  ],
  ['VMware', { hardware: 'VMware, Inc.\nVMware7,1\nVMware, Inc.' }, /vhv\.enable/],
  ['Hyper-V', { hardware: 'Microsoft Corporation\nVirtual Machine' }, /ExposeVirtualizationExtensions \$true/],
  ['WSL', { hardware: '\n\n\n6.6.87.2-microsoft-standard-WSL2' }, /nestedVirtualization=true.*wsl --shutdown/],
  ['VirtualBox', { hardware: 'innotek GmbH\nVirtualBox' }, /--nested-hw-virt on/],
  ['Amazon EC2', { hardware: 'Amazon EC2\nm5.large' }, /\.metal/],
  ['Google Compute Engine', { hardware: 'Google\nGoogle Compute Engine' }, /--enable-nested-virtualization/],
  ['KVM', { hardware: '\n\n\n6.18', kernelLog: `${booted}[    0.0] Hypervisor detected: KVM\n` }, /nested=1/],
])('a virtual machine without nested virtualization is told how %s switches it on', (name, facts, fix) => {
  const obstacle = obstacleOnLinux({ ...machine, cpuinfo: inGuest(intel), modules: [], ...facts });
  expect(obstacle?.found).toBe(`this is a virtual machine (${name}) without nested virtualization`);
  expect(obstacle?.fix).toMatch(fix);
});

test('where nobody says whose virtual machine it is, it is said in general', () => {
  expect(obstacleOnLinux({ ...machine, cpuinfo: inGuest(amd), hardware: '' })).toEqual({
    found: 'this is a virtual machine without nested virtualization',
    fix: 'switch nested virtualization on where this machine runs, or build on another machine',
  });
});

test('a virtual machine that has it is no obstacle: the module is', () => {
  const cpuinfo = intel.replace(' lm', ' lm hypervisor');
  expect(obstacleOnLinux({ ...machine, cpuinfo, modules: [] })?.fix).toBe('sudo modprobe kvm_intel');
});

test('a device that opens and carries no guest is told as what it is, and how to have it tried again', () => {
  const dead = (cpuinfo: string) =>
    obstacleOfDeadDevice({ ...machine, device: 'open', cpuinfo, hardware: '' }, 'kvm: it hung', '/s/accelerator.json');
  expect(dead(inGuest(amd))).toEqual({
    found: '/dev/kvm opens, but a guest did not boot with it (kvm: it hung)',
    fix: 'switch nested virtualization on where this machine runs, or build on another machine; then let it be tried again: rm /s/accelerator.json',
  });
  expect(dead(intel).fix).toMatch(/^update kernel and firmware of this machine; then /);
});

test.each([
  ['0\n', undefined, /kern\.hv_support/, /nested/],
  ['1\n', 'hvf: HV_DENIED', /lacks the right/, /brew reinstall qemu/],
  ['1\n', 'hvf: it hung', /did not boot/, /brew upgrade qemu/],
])('a Mac with hv_support %j and %s', (support, reason, found, fix) => {
  const obstacle = obstacleOnMac(support, reason);
  expect([obstacle?.found, obstacle?.fix]).toEqual([expect.stringMatching(found), expect.stringMatching(fix)]);
});

test('a Mac that can is let try', () => {
  expect(obstacleOnMac('1\n')).toBeUndefined();
});
