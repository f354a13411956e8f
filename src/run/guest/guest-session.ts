import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { RunOptions, RunResult } from '../../core/host.ts';
import type { Script } from '../../core/script.ts';
import type { Firmware } from '../../core/spec.ts';
import { remoteCall } from '../../guest/script.ts';
import { forSsh, type Ssh, type SshTarget } from '../../guest/ssh.ts';
import { until } from '../../guest/wait.ts';
import { stretchOf } from '../../qemu/accelerator.ts';
import type { Accelerator } from '../../qemu/argv.ts';
import type { Machine } from '../../qemu/machine.ts';
import type { GuestBench } from './guest-bench.ts';
import type { Watch } from './guest-watch.ts';

const loginMs = 90_000;
const commandMs = 60_000;
const restartMs = 120_000;

const silence = 'the guest does not answer any more: its network is lost, or it hangs';

export type Guest = {
  readonly watch: Watch;
  /** Start QEMU again on the guest's disk, which keeps what was written to it. */
  readonly restart: (accelerator?: Accelerator) => Promise<Machine>;
  readonly machine: Machine;
  readonly firmware: Firmware;
};

/** Our login in one guest. */
export class Session {
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
    this.stretch = stretchOf(accelerator);
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

const bootIdScript = 'cat /proc/sys/kernel/random/boot_id';
