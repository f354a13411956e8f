import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { RunResult } from '../core/host.ts';
import type { CheckGuest } from '../core/kinds.ts';
import type { Script } from '../core/script.ts';
import type { Firmware } from '../core/spec.ts';
import { type Console, createConsole } from '../guest/console.ts';
import { grownBy } from '../guest/growth.ts';
import { remoteLine } from '../guest/script.ts';
import { forSsh, type Ssh, type SshTarget } from '../guest/ssh.ts';
import { until } from '../guest/wait.ts';
import { translationFactor } from '../qemu/accelerator.ts';
import type { Drive, MachineConfig } from '../qemu/argv.ts';
import { prepareUefi } from '../qemu/firmware.ts';
import { createOverlayArgv } from '../qemu/img.ts';
import { type Machine, startMachine } from '../qemu/machine.ts';
import type { GuestBench } from './guest-bench.ts';

const tailLines = 20;
/** What a panic still prints after its first line. */
const moreMs = 500;
const loginMs = 90_000;
const commandMs = 60_000;
const restartMs = 120_000;

export const firmwareNames: Readonly<Record<Firmware, string>> = { bios: 'BIOS', uefi: 'UEFI' };

/** A guest that is up and lets us in. */
export type BootedGuest = CheckGuest & {
  readonly target: SshTarget;
  /** The socket that other ssh calls go through. */
  readonly sshSocket: string;
  /** Seconds from the start of QEMU to the login. */
  readonly seconds: number;
  /** Aborts, with the reason, when the guest is dead or as good as dead. */
  readonly lost: AbortSignal;
  /** End it; nothing of it is left but its logs. */
  stop(): Promise<void>;
};

/** Boot a throw-away overlay of the disk and log in. What the guest says on its console goes to the step's log. */
export async function bootGuest(bench: GuestBench, firmware: Firmware, ctx: Context): Promise<BootedGuest> {
  const started = ctx.host.monotonic();
  const watch = new Watch(bench, firmware, ctx);
  const config = await configure(bench, firmware, ctx);
  const start = async () => {
    const machine = await startMachine(config, listenersOf(watch), ctx);
    watch.observe(machine);
    return machine;
  };
  const session = new Session(bench, { watch, start, machine: await start(), firmware }, ctx);
  try {
    await session.login();
    const identity = await session.identity();
    watch.quiet = true;
    return {
      ...{ firmware, arch: bench.arch, identity },
      get ssh() {
        return session.target;
      },
      get target() {
        return session.target;
      },
      sshSocket: session.socket,
      seconds: (ctx.host.monotonic() - started) / 1000,
      lost: watch.lost.signal,
      exec: (script, options) => session.exec(script, { ...options, sudo: bench.user !== 'root' }),
      execAsUser: (script) => session.exec(script, { sudo: false }),
      reboot: () => session.reboot(),
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

async function configure(bench: GuestBench, firmware: Firmware, ctx: Context): Promise<MachineConfig> {
  const { arch, accelerator, memory, cpus, disk, seed, scratch, logs } = bench;
  const { host, signal } = ctx;
  const overlay = `${scratch}/overlay-${firmware}.qcow2`;
  const sockets = `${bench.sockets}/${firmware}`;
  await host.files.makeDirectory(sockets, 0o700);
  await host.run({ argv: createOverlayArgv({ base: disk, overlay, size: bench.size + grownBy }) }, { signal });
  const root: Drive = { id: 'disk', file: { path: overlay, format: 'qcow2' }, backing: disk, boot: true };
  const seeds: readonly Drive[] = seed === undefined ? [] : [{ id: 'seed', file: seed, readOnly: true }];
  return {
    ...{ arch, accelerator, memory, cpus, sockets, drives: [root, ...seeds] },
    firmware: firmware === 'bios' ? 'bios' : await prepareUefi(arch, `${scratch}/vars-${firmware}.fd`, ctx),
    serialLog: `${logs}/console-${firmware}.log`,
    ...(bench.credentials === undefined ? {} : { credentials: bench.credentials }),
  };
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
  #machine: Machine | undefined;

  constructor(bench: GuestBench, name: Firmware, ctx: Context) {
    this.#bench = bench;
    this.#name = name;
    this.#ctx = ctx;
    const onTrouble = (meaning: string): void => void this.#trouble(meaning);
    const onLine = (line: string): void => {
      if (!this.quiet) ctx.emit({ type: 'log', id: ctx.step, line });
    };
    this.console = createConsole({ onLine, onTrouble });
    this.firmware = createConsole({ onTrouble });
  }

  observe(machine: Machine): void {
    this.#machine = machine;
    void machine.ended.then(async (error) => {
      this.#machine = undefined;
      this.lost.abort(await this.explain(error));
    });
  }

  /** The error with what there was to see: the end of the console, a picture of the screen, where the log is. */
  async explain(error: unknown): Promise<unknown> {
    if (this.#ctx.signal.aborted) return this.#ctx.signal.reason;
    if (this.lost.signal.aborted) return this.lost.signal.reason;
    if (!(error instanceof IngotError)) return error;
    const { logs } = this.#bench;
    const picture = `${logs}/screen-${this.#name}.png`;
    const shot = (await this.#machine?.screenshot(picture)) === true;
    const detail = [
      ...error.detail,
      'last lines of the console:',
      ...this.console.tail(tailLines).map((line) => `  ${line}`),
      `console log: ${logs}/console-${this.#name}.log`,
      ...(shot ? [`screen: ${picture}`] : []),
    ];
    const message = `${error.message} (under ${firmwareNames[this.#name]})`;
    return new IngotError({ code: error.code, message, detail, cause: error });
  }

  async #trouble(message: string): Promise<void> {
    await this.#ctx.host.sleep(moreMs, this.#ctx.signal).catch(() => undefined);
    this.lost.abort(await this.explain(new IngotError({ code: 'STEP_FAILED', message })));
  }
}

type Guest = {
  readonly watch: Watch;
  /** Start QEMU on the guest's disk, which keeps what was written to it. */
  readonly start: () => Promise<Machine>;
  readonly machine: Machine;
  readonly firmware: Firmware;
};

/** Our login in one guest. */
class Session {
  target: SshTarget;
  readonly socket: string;
  readonly #watch: Watch;
  readonly #start: () => Promise<Machine>;
  #machine: Machine;
  readonly #ctx: Context;
  readonly #stretch: number;
  #ssh: Ssh | undefined;

  constructor(bench: GuestBench, guest: Guest, ctx: Context) {
    const { keys, user, sockets, accelerator } = bench;
    const { machine, firmware } = guest;
    this.#watch = guest.watch;
    this.#start = guest.start;
    this.#machine = machine;
    this.#ctx = ctx;
    this.#stretch = accelerator.name === 'tcg' ? translationFactor : 1;
    this.socket = `${sockets}/${firmware}/ssh`;
    this.target = {
      ...{ host: '127.0.0.1', port: machine.sshPort, user },
      ...{ keyFile: keys.loginFile, knownHostsFile: keys.knownHostsFile, hostKeyAlias: keys.alias },
    };
  }

  async login(): Promise<void> {
    const onOpen = (ssh: Ssh): void => {
      this.#ssh = ssh;
    };
    const limits = { milliseconds: loginMs * this.#stretch, lost: this.#watch.lost.signal };
    await until(forSsh(this.target, this.socket, this.#ctx.host, onOpen), limits, this.#ctx);
  }

  async exec(script: Script, options: { sudo: boolean; timeoutMs?: number }): Promise<RunResult> {
    if (this.#ssh === undefined) throw new Error('not logged in');
    const signal = AbortSignal.any([this.#ctx.signal, this.#watch.lost.signal]);
    const timeoutMs = (options.timeoutMs ?? commandMs) * this.#stretch;
    return this.#ssh.run(remoteLine(script, options), { stdin: script.text, timeoutMs, signal });
  }

  async #read(text: string): Promise<readonly string[]> {
    const { stdout } = await this.exec({ text }, { sudo: this.target.user !== 'root' });
    return stdout.split('\n').filter((line) => line !== '');
  }

  async identity(): Promise<CheckGuest['identity']> {
    const [machineId = '', ...hostKeys] = await this.#read(identityScript);
    return { machineId, hostKeys };
  }

  /**
   * The guest restarts itself; QEMU ends at that and is started again on the same disk. A reset in place is not what
   * is proven, and QEMU 7.2 under emulation hangs in about one of ten.
   */
  async reboot(): Promise<void> {
    const before = await this.#read(bootIdScript);
    try {
      await this.#machine.untilOff((off) => this.#turnOff(off));
      await this.#ssh?.close();
      this.#machine = await this.#start();
      this.target = { ...this.target, port: this.#machine.sshPort };
      await this.login();
    } catch (error) {
      throw await this.#watch.explain(error);
    }
    const after = await this.#read(bootIdScript);
    if (after.join() !== before.join()) return;
    throw new IngotError({ code: 'STEP_FAILED', message: 'the guest did not restart' });
  }

  async #turnOff(off: Promise<boolean>): Promise<void> {
    // The connection breaks before the command can answer.
    await this.#read('systemctl reboot').catch(() => undefined);
    const limits = { milliseconds: restartMs * this.#stretch, lost: this.#watch.lost.signal };
    let restarted = false;
    const run = async () => {
      restarted = await off;
    };
    await until({ what: 'restart', run }, limits, this.#ctx);
    if (restarted) return;
    throw new IngotError({ code: 'STEP_FAILED', message: 'the guest ended instead of restarting' });
  }

  async stop(): Promise<void> {
    await this.#ssh?.close();
    await this.#machine.stop();
  }
}

const identityScript = `cat /etc/machine-id
for key in /etc/ssh/ssh_host_*_key.pub; do [ ! -e "$key" ] || cut -d ' ' -f 1,2 "$key"; done`;
const bootIdScript = 'cat /proc/sys/kernel/random/boot_id';
