import type { Arch } from '../core/arch.ts';
import type { Json } from '../core/keys.ts';
import type { DiskFile } from '../core/kinds.ts';

/** How the guest's processor is made: by hardware where that was proven to work, else by translation. */
export type Accelerator = {
  readonly name: 'kvm' | 'hvf' | 'tcg';
  readonly cpu: string;
  /** It carries no more processors than these. */
  readonly cpus?: number;
};

/** UEFI firmware as files: the code, shared and read-only, and this machine's own copy of the variables. */
export type UefiFiles = {
  readonly code: DiskFile;
  readonly vars: DiskFile;
  /** Only the firmware's own mode of the processor (SMM) may write the variables, so that no guest changes its keys. */
  readonly smm?: boolean;
};

export type Drive = {
  /** The QEMU node's name. */
  readonly id: string;
  readonly file: DiskFile;
  /** What the file is an overlay of, the nearest first: each lies on the one after it, the last is whole in itself. */
  readonly below?: readonly DiskFile[];
  readonly readOnly?: boolean;
  /** Boot from it, and from nothing else. */
  readonly boot?: boolean;
  /** It is in a drive for CDs. */
  readonly cdrom?: boolean;
};

export type MachineConfig = {
  readonly arch: Arch;
  readonly accelerator: Accelerator;
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
  readonly firmware: 'bios' | UefiFiles;
  readonly drives: readonly Drive[];
  /** A short folder of our own: the sockets `qmp`, `serial` and `debug` are made in it. */
  readonly sockets: string;
  /** Everything the guest says on its serial port is written here, raw. */
  readonly serialLog: string;
  /** A file with one string for the guest's SMBIOS table of type 11 (systemd credentials). */
  readonly credentials?: string;
  /** Boot this kernel instead of the disk. */
  readonly kernel?: { readonly file: string; readonly append: string; readonly initrd?: string };
  /** A channel of ours beside the network: `/dev/virtio-ports/ingot` in the guest, the socket `channel` here. */
  readonly channel?: boolean;
  /** `none`: no network device at all. */
  readonly network?: 'none';
  /** Wait for the state of an earlier machine, which is loaded by QMP, instead of booting. */
  readonly resumes?: boolean;
};

export function qemuProgram(arch: Arch): string {
  return `qemu-system-${arch}`;
}

/** The command line of a machine that waits, stopped, until QMP tells it to continue. */
export function qemuArgv(config: MachineConfig): readonly [string, ...string[]] {
  return [
    qemuProgram(config.arch),
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-S'],
    ...['-action', 'reboot=shutdown,shutdown=poweroff,panic=pause'],
    ...machineArgs(config),
    ...cpuArgs(config),
    ...['-m', `size=${Math.floor(config.memory / 1024)}k`],
    ...firmwareArgs(config.firmware),
    ...cdromBus(config),
    ...config.drives.flatMap((drive) => driveArgs(drive, config)),
    ...networkArgs(config),
    ...deviceArgs(config.arch),
    ...qmpArgs(config.sockets),
    ...serialArgs(config),
    ...(config.channel === true ? channelArgs(config.sockets) : []),
    ...smbiosArgs(config.credentials),
    ...kernelArgs(config.kernel),
    ...(config.resumes === true ? ['-incoming', 'defer'] : []),
  ];
}

function machineArgs({ arch, firmware }: MachineConfig): readonly string[] {
  const flash = firmware === 'bios' ? {} : { pflash0: 'uefi-code', pflash1: 'uefi-vars' };
  const smm = isGuarded(firmware) ? { smm: 'on' } : {};
  return ['-machine', optionText(arch === 'x86_64' ? 'q35' : 'virt', { ...smm, ...flash })];
}

function cpuArgs({ accelerator, cpus }: MachineConfig): readonly string[] {
  const accel = accelerator.name === 'tcg' ? 'tcg,thread=multi' : accelerator.name;
  return ['-accel', accel, '-cpu', accelerator.cpu, '-smp', String(Math.min(cpus, accelerator.cpus ?? cpus))];
}

function firmwareArgs(firmware: 'bios' | UefiFiles): readonly string[] {
  if (firmware === 'bios') return [];
  return [
    ...blockdev({ ...fileNode(firmware.code), 'node-name': 'uefi-code', 'read-only': true }),
    ...blockdev({ ...fileNode(firmware.vars), 'node-name': 'uefi-vars' }),
    ...(isGuarded(firmware) ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
  ];
}

function isGuarded(firmware: 'bios' | UefiFiles): boolean {
  return firmware !== 'bios' && firmware.smm === true;
}

/** A kernel that is given takes the place of the first drive to boot from: two may not have the same. */
function driveArgs(drive: Drive, { arch, kernel }: MachineConfig): readonly string[] {
  const own = drive.below === undefined ? baseNode(drive.file) : layerNode(drive.file, drive.below);
  const node = { ...own, ...cacheOptions, 'node-name': drive.id, 'read-only': drive.readOnly === true };
  const first = kernel === undefined && drive.boot === true ? { bootindex: 0 } : {};
  const device = { driver: drive.cdrom === true ? cdromDriver[arch] : 'virtio-blk-pci', drive: drive.id, ...first };
  return [...blockdev(node), '-device', JSON.stringify(device)];
}

/** What every installer finds its medium in: the machine's own SATA on x86; the other has none. */
const cdromDriver: Readonly<Record<Arch, string>> = { x86_64: 'ide-cd', aarch64: 'scsi-cd' };

function cdromBus({ arch, drives }: MachineConfig): readonly string[] {
  return arch === 'aarch64' && drives.some(({ cdrom }) => cdrom === true) ? ['-device', 'virtio-scsi-pci'] : [];
}

/**
 * Nothing has to reach the disk while a guest runs (cache=unsafe): what is worth keeping is synced when it is kept.
 * What the guest gives back (fstrim) takes no place any more.
 */
const cacheOptions = {
  cache: { direct: false, 'no-flush': true },
  discard: 'unmap',
  'detect-zeroes': 'unmap',
} as const;

/** The node to put on top of a running guest's disk (QMP blockdev-add); it gets what is below it when it is put there. */
export function overlayNode(id: string, path: string): { readonly [key: string]: Json } {
  return { ...fileNode({ path, format: 'qcow2' }), ...cacheOptions, 'node-name': id, backing: null };
}

/** Where a guest reaches what listens on loopback of this machine (QEMU, "Using the user mode network stack"). */
export const hostInGuest = '10.0.2.2';

/** Systems name their network by its slot: it has the same in the installer and in what that installs, whatever else is there. */
const networkSlot = '10';

/** Outgoing traffic is free; the only way in is a port on loopback that the kernel picks: see `forwardedPort`. */
function networkArgs({ network }: MachineConfig): readonly string[] {
  if (network === 'none') return ['-nic', 'none'];
  const forward = [{ str: 'tcp:127.0.0.1:0-:22' }];
  return [
    '-netdev',
    JSON.stringify({ type: 'user', id: 'net', ipv6: false, hostfwd: forward }),
    // Without its ROM there is no network boot to wait for when the disk does not boot.
    '-device',
    JSON.stringify({ driver: 'virtio-net-pci', netdev: 'net', addr: networkSlot, romfile: '' }),
  ];
}

function deviceArgs(arch: Arch): readonly string[] {
  const screen = arch === 'x86_64' ? 'VGA' : 'virtio-gpu-pci';
  return ['-device', screen, '-device', 'virtio-rng-pci'];
}

function qmpArgs(sockets: string): readonly string[] {
  return [...listen('qmp', sockets, {}), '-mon', 'chardev=qmp,mode=control'];
}

function serialArgs({ arch, sockets, serialLog }: MachineConfig): readonly string[] {
  const serial = [...listen('serial', sockets, { logfile: serialLog, logappend: 'on' }), '-serial', 'chardev:serial'];
  if (arch !== 'x86_64') return serial;
  // SeaBIOS tells what it cannot boot on its debug port only.
  const debug = [...listen('debug', sockets, {}), '-device', 'isa-debugcon,iobase=0x402,chardev=debug'];
  return [...serial, ...debug];
}

function channelArgs(sockets: string): readonly string[] {
  const port = { driver: 'virtserialport', chardev: 'channel', name: 'ingot' };
  return [...listen('channel', sockets, {}), ...['-device', 'virtio-serial-pci', '-device', JSON.stringify(port)]];
}

function smbiosArgs(credentials: string | undefined): readonly string[] {
  return credentials === undefined ? [] : ['-smbios', `type=11,${optionText(undefined, { path: credentials })}`];
}

function kernelArgs(kernel: MachineConfig['kernel']): readonly string[] {
  if (kernel === undefined) return [];
  const initrd = kernel.initrd === undefined ? [] : ['-initrd', kernel.initrd];
  return ['-kernel', kernel.file, '-append', kernel.append, ...initrd];
}

function listen(id: string, sockets: string, more: Readonly<Record<string, string>>): readonly string[] {
  const path = `${sockets}/${id}`;
  return ['-chardev', optionText('socket', { id, path, server: 'on', wait: 'off', ...more })];
}

/** A file that may not lead to another one: a qcow2 image names its backing file itself, and that is not followed. */
function baseNode(disk: DiskFile): { readonly [key: string]: Json } {
  return { ...fileNode(disk), ...(disk.format === 'qcow2' ? { backing: null } : {}), 'read-only': true };
}

/** An overlay with all that is below it, named here and not by the files themselves. */
export function layerNode(file: DiskFile, below: readonly DiskFile[]): { readonly [key: string]: Json } {
  const [next, ...rest] = below;
  if (next === undefined) return baseNode(file);
  return { ...fileNode(file), backing: { ...layerNode(next, rest), 'read-only': true } };
}

export function fileNode({ path, format }: DiskFile): { readonly [key: string]: Json } {
  return { driver: format, file: { driver: 'file', filename: path } };
}

function blockdev(node: Json): readonly string[] {
  return ['-blockdev', JSON.stringify(node)];
}

/** `first,key=value,...` with commas in values doubled, as QEMU's option parser wants them (qemu(1)). */
export function optionText(first: string | undefined, options: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(options).map(([key, value]) => `${key}=${value.replaceAll(',', ',,')}`);
  return [...(first === undefined ? [] : [first]), ...pairs].join(',');
}
