import { z } from 'zod';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Child } from '../core/host.ts';
import { shellLine } from '../core/script.ts';
import { within } from '../core/within.ts';
import { bytesMoved, bytesWritten } from './activity.ts';
import { type MachineConfig, overlayNode, qemuArgv } from './argv.ts';
import { connectQmp, forwardedPort, type Qmp, type QmpEvent } from './qmp.ts';

const connectTries = 200;
const connectPauseMs = 50;
const screenshotMs = 5_000;
const quitMs = 5_000;

/** A running QEMU. */
export type Machine = {
  /** The port on 127.0.0.1 that leads to the guest's port 22; 0 where it has no network. */
  readonly sshPort: number;
  /** Settles when QEMU ended or the guest stopped without `stop` having been called: why, in plain words. */
  readonly ended: Promise<IngotError>;
  /** Once it ended: QEMU's word for what the guest did, such as `guest-shutdown`. */
  readonly endedBy: () => string | undefined;
  /** Have QEMU end because the guest is told to restart by `action`, which waits for `off`: whether it was a restart. */
  untilOff(action: (off: Promise<boolean>) => Promise<void>): Promise<void>;
  /** Tell the guest something on the channel. */
  say(line: string): void;
  /** Let the guest rest, as if no time passed for it, and go on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Put an empty overlay file on top of a drive: from now on the guest writes there, and what is below only rests. */
  putOverlay(drive: string, overlay: string): Promise<void>;
  /** Write the state of a paused guest (memory, devices; not its disks) to a file. */
  saveState(file: string): Promise<void>;
  /** Press these keys at once and let them go. */
  press(keys: readonly string[]): Promise<void>;
  /** How many bytes were read from its drives and written to them since its start. */
  bytesMoved(): Promise<number>;
  /** How many of them were written to this one. */
  bytesWritten(drive: string): Promise<number>;
  /** Write what is on the screen to a PNG; false when that cannot be had. */
  screenshot(path: string): Promise<boolean>;
  /** End QEMU and wait until it is gone. */
  stop(): Promise<void>;
};

export type MachineListeners = {
  readonly onSerial: (bytes: Uint8Array) => void;
  /** What the BIOS says on its debug port. */
  readonly onFirmware?: (bytes: Uint8Array) => void;
  /** What the guest says on the channel. */
  readonly onChannel?: (bytes: Uint8Array) => void;
};

/**
 * Start QEMU, listen to everything it says, and only then let the guest run: from its boot, or from a saved state, which
 * fits only a machine with the same devices.
 */
export async function startMachine(
  config: MachineConfig,
  listeners: MachineListeners,
  ctx: Context,
  state?: string,
): Promise<Machine> {
  const child = await ctx.host.start({ argv: qemuArgv({ ...config, resumes: state !== undefined }) });
  const opened: { close(): void }[] = [];
  try {
    return await attach({ child, opened, state }, { ...config, resumes: state !== undefined }, listeners, ctx);
  } catch (error) {
    child.kill('SIGKILL');
    const exit = await child.exited;
    for (const one of opened) one.close();
    ctx.signal.throwIfAborted();
    if (error instanceof IngotError && error.code === 'TOOL_MISSING') throw error;
    throw startFailure(child, exit.exitCode, error);
  }
}

type Starting = {
  readonly child: Child;
  /** Connections to close at the end. */
  readonly opened: { close(): void }[];
  readonly state: string | undefined;
};

async function attach(
  { child, opened, state }: Starting,
  config: MachineConfig,
  listeners: MachineListeners,
  ctx: Context,
): Promise<Machine> {
  const life = new Life();
  const socket = (name: string) => `${config.sockets}/${name}`;
  const listen = async (name: string, onData: (bytes: Uint8Array) => void) => {
    const connection = await ctx.host.connect({ path: socket(name) }, { signal: ctx.signal, onData });
    opened.push(connection);
    return connection;
  };
  const qmp = await connectFirst(child, socket('qmp'), (event) => life.onEvent(event), ctx);
  opened.push(qmp);
  await listen('serial', listeners.onSerial);
  if (config.arch === 'x86_64') await listen('debug', listeners.onFirmware ?? (() => undefined));
  const channel =
    config.channel === true ? await listen('channel', listeners.onChannel ?? (() => undefined)) : undefined;
  const sshPort = config.network === 'none' ? 0 : await openedPort(qmp);
  if (state !== undefined) await loadState(qmp, state, ctx);
  await qmp.execute('cont');
  const tops = new Map<string, string>();
  let overlays = 0;
  const end = () => {
    for (const one of opened) one.close();
  };
  return {
    sshPort,
    ended: life.watch(child),
    endedBy: () => life.reason,
    untilOff: async (action) => {
      life.stopping = true;
      try {
        await action(child.exited.then(() => life.reason === 'guest-reset'));
        end();
      } finally {
        life.stopping = false;
      }
    },
    say: (line) => channel?.write(`${line}\n`),
    pause: async () => void (await qmp.execute('stop')),
    resume: async () => void (await qmp.execute('cont')),
    putOverlay: async (drive, overlay) => {
      const top = tops.get(drive) ?? drive;
      overlays += 1;
      const next = `${drive}-${overlays}`;
      await qmp.execute('blockdev-add', overlayNode(next, overlay));
      await qmp.execute('blockdev-snapshot', { node: top, overlay: next });
      tops.set(drive, next);
    },
    saveState: (file) => saveState(qmp, file, ctx),
    press: async (keys) =>
      void (await qmp.execute('send-key', { keys: keys.map((data) => ({ type: 'qcode', data })) })),
    bytesMoved: async () => bytesMoved(await qmp.execute('query-blockstats')),
    bytesWritten: async (drive) => bytesWritten(await qmp.execute('query-blockstats'), drive),
    screenshot: (path) => screenshot(qmp, path, ctx),
    stop: async () => {
      life.stopping = true;
      await stop(child, qmp, ctx);
      end();
    },
  };
}

async function openedPort(qmp: Qmp): Promise<number> {
  const usernet = await qmp.execute('human-monitor-command', { 'command-line': 'info usernet' });
  const port = forwardedPort(String(usernet));
  if (port === undefined) throw new Error(`QEMU opened no port for ssh: ${String(usernet)}`);
  return port;
}

/** QEMU makes its sockets some milliseconds after it starts. */
async function connectFirst(child: Child, path: string, onEvent: (event: QmpEvent) => void, ctx: Context) {
  let alive = true;
  void child.exited.then(() => {
    alive = false;
  });
  for (let tries = 1; ; tries += 1) {
    try {
      return await connectQmp(ctx.host, { address: { path }, signal: ctx.signal, onEvent });
    } catch (error) {
      if (!alive || tries === connectTries || ctx.signal.aborted) throw error;
      await ctx.host.sleep(connectPauseMs, ctx.signal);
    }
  }
}

function startFailure(child: Child, exitCode: number | undefined, error: unknown): IngotError {
  return new IngotError({
    code: 'TOOL_FAILED',
    message: exitCode === undefined ? 'QEMU did not start as it should' : `QEMU ended at its start (exit ${exitCode})`,
    detail: [...child.lastLines().slice(-10), ...(error instanceof Error ? [error.message] : [])],
    cause: error,
  });
}

/** What happened to a machine, from its events. */
class Life {
  stopping = false;
  reason: string | undefined;
  readonly #stuck = Promise.withResolvers<IngotError>();

  onEvent({ event, data }: QmpEvent): void {
    if (event === 'SHUTDOWN') this.reason = String(data.reason);
    // QEMU lets a guest rest whose disk it cannot write, until somebody makes room.
    if (event === 'BLOCK_IO_ERROR' && data.action === 'stop') this.#stuck.resolve(noRoom());
  }

  watch(child: Child): Promise<IngotError> {
    return new Promise((resolve) => {
      void this.#stuck.promise.then(resolve);
      void child.exited.then((exit) => {
        if (!this.stopping) resolve(endOf(this.reason, exit, child.lastLines()));
      });
    });
  }
}

function noRoom(): IngotError {
  return new IngotError({
    code: 'NO_SPACE',
    message: 'no space left on this machine for what the guest writes to its disk',
    hint: 'free some space (`ingot gc` removes what can be made again) and run the same command',
  });
}

const reasons: Readonly<Record<string, string>> = {
  'guest-shutdown': 'the guest powered itself off',
  'guest-reset': 'the guest restarted by itself',
  'guest-panic': 'the guest panicked',
};

/** Why a machine is gone that should be there. */
export function endOf(
  reason: string | undefined,
  exit: { readonly exitCode: number | undefined; readonly signal: string | undefined },
  lastLines: readonly string[],
): IngotError {
  const known = reason === undefined ? undefined : reasons[reason];
  const killed = exit.signal === 'SIGKILL' ? ' (likely for want of memory on this machine)' : '';
  const how =
    exit.signal === undefined ? `ended with exit code ${exit.exitCode}` : `was ended by ${exit.signal}${killed}`;
  return new IngotError({ code: 'TOOL_FAILED', message: known ?? `QEMU ${how}`, detail: lastLines.slice(-10) });
}

const statePollMs = 50;
const stateMs = 120_000;

async function saveState(qmp: Qmp, file: string, ctx: Context): Promise<void> {
  // Nothing else wants the bandwidth: the guest rests meanwhile.
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 16 * 1024 ** 3 });
  await qmp.execute('migrate', { uri: `exec:${shellLine(['zstd', '-q', '--fast=8', '-T0', '-f', '-o', file])}` });
  await untilMigrated(qmp, ctx);
}

async function loadState(qmp: Qmp, file: string, ctx: Context): Promise<void> {
  await qmp.execute('migrate-incoming', { uri: `exec:${shellLine(['zstd', '-q', '-dc', '--', file])}` });
  await untilMigrated(qmp, ctx);
}

async function untilMigrated(qmp: Qmp, ctx: Context): Promise<void> {
  const done = await within(stateMs, ctx, async (signal) => {
    for (;;) {
      const { status } = migration.parse(await qmp.execute('query-migrate'));
      if (status === 'completed') return true;
      if (status === 'failed' || status === 'cancelled') break;
      await ctx.host.sleep(statePollMs, signal);
    }
    return false;
  });
  if (done !== true) throw new IngotError({ code: 'TOOL_FAILED', message: 'QEMU could not move the state of a guest' });
}

const migration = z.object({ status: z.string().optional() });

async function screenshot(qmp: Qmp, path: string, ctx: Context): Promise<boolean> {
  const shoot = () => qmp.execute('screendump', { filename: path, format: 'png' });
  return within(screenshotMs, ctx, shoot).then(
    (done) => done !== undefined,
    () => false,
  );
}

async function stop(child: Child, qmp: Qmp, ctx: Context): Promise<void> {
  const patience = new AbortController();
  void qmp.execute('quit').catch(() => child.kill('SIGKILL'));
  void ctx.host.sleep(quitMs, patience.signal).then(
    () => child.kill('SIGKILL'),
    () => undefined,
  );
  await child.exited;
  patience.abort();
}
