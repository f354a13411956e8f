import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { RunOptions, RunResult } from '../core/host.ts';
import { digest } from '../core/keys.ts';
import type { CheckGuest, DiskFile } from '../core/kinds.ts';
import type { Script } from '../core/script.ts';
import { isNoSpace } from '../core/space.ts';
import type { Firmware } from '../core/spec.ts';
import { within } from '../core/within.ts';
import { type Console, createConsole } from '../guest/console.ts';
import { grownBy } from '../guest/growth.ts';
import { remoteCall } from '../guest/script.ts';
import { forSsh, type Ssh, type SshTarget } from '../guest/ssh.ts';
import { until } from '../guest/wait.ts';
import { translationFactor } from '../qemu/accelerator.ts';
import { type Accelerator, type Drive, type MachineConfig, qemuArgv } from '../qemu/argv.ts';
import { prepareUefi } from '../qemu/firmware.ts';
import { createOverlayArgv, diskSize } from '../qemu/img.ts';
import { type Machine, startMachine } from '../qemu/machine.ts';
import type { GuestBench } from './guest-bench.ts';

const tailLines = 20;
const leastTail = 5;
/** What a panic still prints after its first line. */
const moreMs = 500;
/** How long programs of the guest have to answer each other. */
const answerMs = 4_000;
const loginMs = 90_000;
const commandMs = 60_000;
const restartMs = 120_000;

export const firmwareNames: Readonly<Record<Firmware, string>> = { bios: 'BIOS', uefi: 'UEFI' };

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

/** Boot a throw-away overlay of a disk and log in. */
export async function bootCopy(
  bench: GuestBench,
  disk: DiskFile,
  firmware: Firmware,
  ctx: Context,
): Promise<CopiedGuest> {
  const size = (await diskSize(disk, ctx)) + grownBy;
  const overlay = `${bench.scratch}/overlay-${firmware}.qcow2`;
  await ctx.host.run({ argv: createOverlayArgv(overlay, size) }, { signal: ctx.signal });
  const root: Drive = { id: 'disk', file: { path: overlay, format: 'qcow2' }, below: [disk], boot: true };
  const guest = await bootGuest(bench, { firmware, root: () => root }, ctx);
  try {
    return Object.assign(guest, { identity: await identityOf(guest) });
  } catch (error) {
    await guest.stop();
    throw error;
  }
}

async function identityOf(guest: BootedGuest): Promise<CheckGuest['identity']> {
  const { stdout } = await guest.exec({ text: identityScript });
  const [machineId = '', ...hostKeys] = stdout.split('\n').filter((line) => line !== '');
  return { machineId, hostKeys };
}

/** Boot a guest and log in. What the guest says on its console until then goes to the step's log. */
export async function bootGuest(bench: GuestBench, begin: GuestStart, ctx: Context): Promise<BootedGuest> {
  const { firmware, state, onChannel, onStart, patienceMs = loginMs } = begin;
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

/**
 * What of a machine a saved state depends on: QEMU, processor and devices, not where files lie. On real processors
 * also which one.
 */
async function machineShape(config: MachineConfig, { host, signal }: Context): Promise<string> {
  const drives = config.drives.map(({ id, boot, readOnly }) => ({
    ...{ id, file: { path: '/', format: 'raw' as const } },
    ...(boot === undefined ? {} : { boot }),
    ...(readOnly === undefined ? {} : { readOnly }),
  }));
  const vars = { path: '/', format: 'raw' as const };
  const firmware = config.firmware === 'bios' ? 'bios' : { ...config.firmware, vars };
  const { kernel } = config;
  const anyKernel = kernel === undefined ? {} : { kernel: { file: '/', initrd: '/', append: kernel.append } };
  const places = { sockets: '/', serialLog: '/', credentials: '/' };
  const argv = qemuArgv({ ...config, drives, firmware, ...places, ...anyKernel });
  const version = await host.run({ argv: [argv[0], '--version'] }, { signal });
  const isReal = config.accelerator.name !== 'tcg';
  const processor = isReal ? ((await host.files.readText('/proc/cpuinfo')) ?? '').split('\n\n')[0] : '';
  return digest([...argv, version.stdout, processor ?? '']);
}

/** Watches one guest's console and process, and says why it is lost. */
class Watch {
  readonly console: Console;
  readonly firmware: Console;
  readonly lost = new AbortController();
  quiet = false;
  readonly #bench: GuestBench;
  readonly #name: Firmware;
  readonly #ctx: Context;
  readonly #explained = new WeakSet<Error>();
  #machine: Machine | undefined;

  constructor(bench: GuestBench, name: Firmware, ctx: Context) {
    this.#bench = bench;
    this.#name = name;
    this.#ctx = ctx;
    const onTrouble = (meaning: string): void => void this.trouble(meaning);
    const onLine = (line: string): void => {
      if (!this.quiet) ctx.emit({ type: 'log', id: ctx.step, line });
    };
    const onQuestion = (question: string): void => void this.#wonder(question);
    this.console = createConsole({ onLine, onTrouble, onQuestion });
    this.firmware = createConsole({ onTrouble });
  }

  observe(machine: Machine): void {
    this.#machine = machine;
    void machine.ended.then(async (error) => {
      this.#machine = undefined;
      this.lost.abort(await this.#describe(error));
    });
  }

  /** The error with what there was to see; or why the guest is lost, where that came first. */
  async explain(error: unknown): Promise<unknown> {
    // Connections end a moment before QEMU itself.
    if (error instanceof IngotError && error.code === 'TOOL_FAILED') await this.#untilLost(moreMs);
    return this.#describe(error);
  }

  async #untilLost(milliseconds: number): Promise<void> {
    const { signal } = this.lost;
    const heard = new Promise((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', resolve, { once: true });
    });
    await within(milliseconds, this.#ctx, () => heard).catch(() => undefined);
  }

  /** The end of the console, a picture of the screen, where the log is. */
  async #describe(error: unknown): Promise<unknown> {
    if (this.#ctx.signal.aborted) return this.#ctx.signal.reason;
    if (this.lost.signal.aborted) return this.lost.signal.reason;
    if (!(error instanceof IngotError) || isNoSpace(error) || this.#explained.has(error)) return error;
    const { logs, purpose } = this.#bench;
    const picture = `${logs}/screen-${this.#name}.png`;
    const shot = (await this.#machine?.screenshot(picture)) === true;
    const said = this.console.tail(Math.max(leastTail, tailLines - error.detail.length));
    // A guest that goes on from a saved state may have said nothing yet.
    const console = ['last lines of the console:', ...said.map((line) => `  ${line}`)];
    const detail = [
      ...error.detail,
      ...(said.length === 0 ? [] : [...console, `console log: ${logs}/console-${this.#name}.log`]),
      ...(shot ? [`screen: ${picture}`] : []),
    ];
    // Checks boot a disk under each of its firmwares, a build under one.
    const where = purpose === 'check' ? ` (under ${firmwareNames[this.#name]})` : '';
    const { code, hint } = error;
    const message = `${error.message}${where}`;
    const explained = new IngotError({ code, message, ...(hint === undefined ? {} : { hint }), detail, cause: error });
    this.#explained.add(explained);
    return explained;
  }

  /** A question that nobody answers itself is waited for in vain. */
  async #wonder(question: string): Promise<void> {
    await this.#ctx.host.sleep(answerMs, this.#ctx.signal).catch(() => undefined);
    if (this.console.tail(1)[0] !== question) return;
    await this.trouble(`the guest asks a question on its console, and nobody is there to answer it: ${question}`);
  }

  /** The guest is as good as dead: tell why. */
  async trouble(message: string): Promise<void> {
    await this.#ctx.host.sleep(moreMs, this.#ctx.signal).catch(() => undefined);
    this.lost.abort(await this.#describe(new IngotError({ code: 'STEP_FAILED', message })));
  }
}

const silence = 'the guest does not answer any more: its network is lost, or it hangs';

type Guest = {
  readonly watch: Watch;
  /** Start QEMU again on the guest's disk, which keeps what was written to it. */
  readonly restart: (accelerator?: Accelerator) => Promise<Machine>;
  readonly machine: Machine;
  readonly firmware: Firmware;
};

/** Our login in one guest. */
class Session {
  target: SshTarget;
  machine: Machine;
  readonly socket: string;
  readonly sudo: boolean;
  readonly stretch: number;
  readonly #watch: Watch;
  readonly #restart: Guest['restart'];
  readonly #ctx: Context;
  #ssh: Ssh | undefined;
  /** It was told to end. */
  #leaves = false;

  constructor({ login, sockets, accelerator }: GuestBench, guest: Guest, ctx: Context) {
    const { machine, firmware } = guest;
    this.#watch = guest.watch;
    this.#restart = guest.restart;
    this.machine = machine;
    this.#ctx = ctx;
    this.stretch = accelerator.name === 'tcg' ? translationFactor : 1;
    this.sudo = login.user !== 'root';
    this.socket = `${sockets}/${firmware}/ssh`;
    this.target = { ...login, host: '127.0.0.1', port: machine.sshPort };
  }

  async login(patienceMs = loginMs): Promise<void> {
    const onOpen = (ssh: Ssh): void => {
      this.#ssh = ssh;
      void ssh.ended.then((how) => {
        if (how === 'silent' && !this.#leaves) void this.#watch.trouble(silence);
      });
    };
    const limits = { milliseconds: patienceMs * this.stretch, lost: this.#watch.lost.signal };
    await until(forSsh(this.target, this.socket, this.#ctx.host, onOpen), limits, this.#ctx);
  }

  async exec(script: Script, options: { root: boolean; timeoutMs?: number }): Promise<RunResult> {
    const timeoutMs = (options.timeoutMs ?? commandMs) * this.stretch;
    const { line, input } = remoteCall(script, { root: options.root, sudo: this.sudo });
    return this.#open().run(line, { stdin: input, timeoutMs, signal: this.#signal() });
  }

  async run(script: Script, options: Pick<RunOptions, 'stdin' | 'stdoutFile' | 'onLine'>): Promise<RunResult> {
    const { stdin, ...rest } = options;
    const { line, input } = remoteCall(script, { stdin, root: true, sudo: this.sudo });
    return this.#open().run(line, { ...rest, stdin: input, signal: this.#signal() });
  }

  #open(): Ssh {
    if (this.#ssh === undefined) throw new Error('not logged in');
    return this.#ssh;
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#ctx.signal, this.#watch.lost.signal]);
  }

  async #read(text: string): Promise<readonly string[]> {
    const { stdout } = await this.exec({ text }, { root: true });
    return stdout.split('\n').filter((line) => line !== '');
  }

  /**
   * The guest restarts itself; QEMU ends at that and is started again on the same disk. A reset in place is not what
   * is proven, and QEMU 7.2 under emulation hangs in about one of ten.
   */
  async reboot(accelerator?: Accelerator): Promise<void> {
    const before = await this.#read(bootIdScript);
    try {
      // The connection breaks before the command can answer.
      const restarted = await this.#off(() => this.#read('systemctl reboot').catch(() => undefined));
      if (!restarted) throw new IngotError({ code: 'STEP_FAILED', message: 'the guest ended instead of restarting' });
      this.machine = await this.#restart(accelerator);
      this.target = { ...this.target, port: this.machine.sshPort };
      await this.login();
    } catch (error) {
      throw await this.#watch.explain(error);
    }
    const after = await this.#read(bootIdScript);
    if (after.join() !== before.join()) return;
    throw new IngotError({ code: 'STEP_FAILED', message: 'the guest did not restart' });
  }

  async pause(): Promise<void> {
    this.#ssh?.rest();
    await this.machine.pause();
  }

  async resume(): Promise<void> {
    try {
      await this.machine.resume();
    } finally {
      this.#ssh?.goOn();
    }
  }

  async untilOff(action: () => Promise<unknown>): Promise<void> {
    try {
      const restarted = await this.#off(action);
      if (restarted)
        throw new IngotError({ code: 'STEP_FAILED', message: 'the guest restarted instead of turning off' });
    } catch (error) {
      throw await this.#watch.explain(error);
    }
  }

  /** Have QEMU end because the guest wants it; says whether it was to restart. */
  async #off(action: () => Promise<unknown>): Promise<boolean> {
    let restarted = false;
    this.#leaves = true;
    await this.machine.untilOff(async (off) => {
      await action();
      const limits = { milliseconds: restartMs * this.stretch, lost: this.#watch.lost.signal };
      const run = async () => {
        restarted = await off;
      };
      await until({ what: 'end of the guest', run }, limits, this.#ctx);
    });
    await this.#ssh?.close();
    this.#leaves = false;
    return restarted;
  }

  async stop(): Promise<void> {
    await this.#ssh?.close();
    await this.machine.stop();
  }
}

const identityScript = `cat /etc/machine-id
for key in /etc/ssh/ssh_host_*_key.pub; do [ ! -e "$key" ] || cut -d ' ' -f 1,2 "$key"; done`;
const bootIdScript = 'cat /proc/sys/kernel/random/boot_id';
