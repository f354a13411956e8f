import type { Context } from '../../core/context.ts';
import type { RunOptions, RunResult } from '../../core/host.ts';
import { type BootMedium, type CheckGuest, type DiskFile, isDisk } from '../../core/kinds.ts';
import type { Script } from '../../core/script.ts';
import type { Firmware } from '../../core/spec.ts';
import type { Console } from '../../guest/console.ts';
import { grownBy } from '../../guest/growth.ts';
import type { SshTarget } from '../../guest/ssh.ts';
import type { Accelerator, Drive, MachineConfig } from '../../qemu/argv.ts';
import { prepareUefi } from '../../qemu/firmware.ts';
import { createOverlayArgv, diskSize } from '../../qemu/img.ts';
import { type Machine, startMachine } from '../../qemu/machine.ts';
import type { GuestBench } from './guest-bench.ts';
import { Session } from './guest-session.ts';
import { Watch } from './guest-watch.ts';
import { machineShape } from './machine-shape.ts';

/** A guest that is up and lets us in. */
export type BootedGuest = Omit<CheckGuest, 'identity' | 'reboot'> & {
  readonly target: SshTarget;
  /** The socket that other ssh calls go through. */
  readonly sshSocket: string;
  /** Seconds from the start of QEMU to the login. */
  readonly seconds: number;
  /** How much longer waits may take than with hardware virtualization. */
  readonly stretch: number;
  /** Aborts, with the reason, when the guest is dead or as good as dead. */
  readonly lost: AbortSignal;
  /** What the guest says on its serial port. */
  readonly console: Console;
  readonly machine: () => Machine;
  /** What a state that is saved now fits. */
  readonly shape: string;
  /** The file of UEFI's variables. */
  readonly vars?: string;
  /** An error with what there was to see: the end of the console, a picture of the screen, where the log is. */
  explain(error: unknown): Promise<unknown>;
  /** Run a script as root and tell its lines as they come; for as long as it takes. */
  run(script: Script, options: Pick<RunOptions, 'stdin' | 'stdoutFile' | 'onLine'>): Promise<RunResult>;
  /** Let it rest, as if no time passed for it, and go on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Restart it by its own boot loader, and log in again; from then on with another accelerator where one is given. */
  reboot(accelerator?: Accelerator): Promise<void>;
  /** Wait until the guest has turned itself off. */
  untilOff(action: () => Promise<unknown>): Promise<void>;
  /** End it; nothing of it is left but its logs. */
  stop(): Promise<void>;
};

/** The same of a throw-away copy of a finished disk. */
export type CopiedGuest = BootedGuest & CheckGuest;

/** What a guest boots from, or goes on with. */
export type GuestStart = {
  readonly firmware: Firmware;
  /** Asked at each start: what lies below may have grown since. */
  readonly root: () => Drive;
  /** Boot this kernel instead of what the disk's boot loader would; only for the first time. */
  readonly kernel?: MachineConfig['kernel'];
  /** Go on from here instead of booting. */
  readonly state?: GuestState;
  /** How long a boot may take, without translation. */
  readonly patienceMs?: number;
  /** What the guest says on the channel; only then it has one. */
  readonly onChannel?: (bytes: Uint8Array) => void;
  /** Called when the guest runs again, before the login. */
  readonly onStart?: (machine: Machine) => Promise<void>;
};

/** The state of an earlier guest that rested on the same disk. */
export type GuestState = {
  readonly file: string;
  /** The machine it was saved on. */
  readonly shape: string;
  /** UEFI's variables as that guest left them. */
  readonly vars?: string;
};

/** A saved state is of another machine: another QEMU, processor or device. */
export class StaleStateError extends Error {
  override readonly name = 'StaleStateError';
}

/** Boot a throw-away overlay of a disk, or an ISO as a CD, and log in. */
export async function bootCopy(
  bench: GuestBench,
  medium: BootMedium,
  firmware: Firmware,
  ctx: Context,
): Promise<CopiedGuest> {
  const root = isDisk(medium)
    ? await overlayOf(medium, `${bench.scratch}/overlay-${firmware}.qcow2`, ctx)
    : cdOf(medium);
  const guest = await bootGuest(bench, { firmware, root: () => root }, ctx);
  try {
    return Object.assign(guest, { identity: await identityOf(guest) });
  } catch (error) {
    await guest.stop();
    throw error;
  }
}

async function overlayOf(disk: DiskFile, overlay: string, ctx: Context): Promise<Drive> {
  const size = (await diskSize(disk, ctx)) + grownBy;
  await ctx.host.run({ argv: createOverlayArgv(overlay, size) }, { signal: ctx.signal });
  return { id: 'disk', file: { path: overlay, format: 'qcow2' }, below: [disk], boot: true };
}

function cdOf({ path }: BootMedium): Drive {
  return { id: 'disk', file: { path, format: 'raw' }, readOnly: true, cdrom: true, boot: true };
}

async function identityOf(guest: BootedGuest): Promise<CheckGuest['identity']> {
  const { stdout } = await guest.exec({ text: identityScript });
  const [machineId = '', ...hostKeys] = stdout.split('\n').filter((line) => line !== '');
  return { machineId, hostKeys };
}

/** Boot a guest and log in. What the guest says on its console until then goes to the step's log. */
export async function bootGuest(bench: GuestBench, begin: GuestStart, ctx: Context): Promise<BootedGuest> {
  const { firmware, state, onChannel, onStart, patienceMs } = begin;
  const started = ctx.host.monotonic();
  const watch = new Watch(bench, firmware, ctx);
  let config = await configure(bench, begin, ctx);
  let shape = await machineShape(config, ctx);
  if (state !== undefined && state.shape !== shape) throw new StaleStateError();
  const listeners = { ...listenersOf(watch), ...(onChannel === undefined ? {} : { onChannel }) };
  const start = async (from?: string) => {
    const drives = [begin.root(), ...config.drives.slice(1)];
    const machine = await startMachine({ ...config, drives }, listeners, ctx, from);
    watch.observe(machine);
    return machine;
  };
  const restart = async (accelerator = config.accelerator) => {
    const { kernel: _, ...own } = config;
    config = { ...own, accelerator };
    shape = await machineShape(config, ctx);
    return start();
  };
  const guest = { watch, restart, machine: await start(state?.file), firmware };
  const session = new Session(bench, guest, ctx);
  try {
    await onStart?.(session.machine);
    await session.login(patienceMs);
    watch.quiet = true;
    return {
      ...{ firmware, arch: bench.arch },
      get ssh() {
        return { ...session.target, keyFile: bench.keys.loginFile };
      },
      get target() {
        return session.target;
      },
      sshSocket: session.socket,
      seconds: (ctx.host.monotonic() - started) / 1000,
      stretch: session.stretch,
      lost: watch.lost.signal,
      console: watch.console,
      get shape() {
        return shape;
      },
      ...(config.firmware === 'bios' ? {} : { vars: config.firmware.vars.path }),
      machine: () => session.machine,
      explain: (error) => watch.explain(error),
      exec: (script, options) => session.exec(script, { ...options, root: true }),
      execAsUser: (script) => session.exec(script, { root: false }),
      run: (script, options) => session.run(script, options),
      reboot: (accelerator) => session.reboot(accelerator),
      pause: () => session.pause(),
      resume: () => session.resume(),
      untilOff: (action) => session.untilOff(action),
      stop: () => session.stop(),
    };
  } catch (error) {
    const explained = await watch.explain(error);
    await session.stop();
    throw explained;
  }
}

function listenersOf(watch: Watch) {
  return {
    onSerial: (bytes: Uint8Array) => watch.console.add(bytes),
    onFirmware: (bytes: Uint8Array) => watch.firmware.add(bytes),
  };
}

async function configure(bench: GuestBench, begin: GuestStart, ctx: Context): Promise<MachineConfig> {
  const { arch, accelerator, memory, cpus, seed, scratch, logs } = bench;
  const { firmware, root, state, onChannel } = begin;
  const sockets = `${bench.sockets}/${firmware}`;
  await ctx.host.files.makeDirectory(sockets, 0o700);
  const seeds: readonly Drive[] = seed === undefined ? [] : [{ id: 'seed', file: seed, readOnly: true }];
  const uefi = async () => {
    const files = await prepareUefi({ arch, secureBoot: bench.secureBoot }, `${scratch}/vars-${firmware}.fd`, ctx);
    if (state?.vars !== undefined) await ctx.host.files.write(files.vars.path, await ctx.host.files.read(state.vars));
    return files;
  };
  return {
    ...{ arch, accelerator, memory, cpus, sockets, drives: [root(), ...seeds] },
    firmware: firmware === 'bios' ? 'bios' : await uefi(),
    serialLog: `${logs}/console-${firmware}.log`,
    ...(bench.credentials === undefined ? {} : { credentials: bench.credentials }),
    ...(begin.kernel === undefined ? {} : { kernel: begin.kernel }),
    ...(onChannel === undefined ? {} : { channel: true }),
  };
}

const identityScript = `cat /etc/machine-id
for key in /etc/ssh/ssh_host_*_key.pub; do [ ! -e "$key" ] || cut -d ' ' -f 1,2 "$key"; done`;
