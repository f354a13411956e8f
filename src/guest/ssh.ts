import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Child, Host, RunOptions, RunResult } from '../core/host.ts';
import { within } from '../core/within.ts';
import type { Wait } from './wait.ts';

/** Who logs in and how both sides prove who they are. */
export type SshLogin = {
  readonly user: string;
  /** A private key; absent where a password is asked for. */
  readonly keyFile?: string;
  /** A program that prints the password. */
  readonly askpass?: string;
  readonly knownHostsFile: string;
  readonly hostKeyAlias: string;
  /** Take the host key that is shown first for the right one: where the image brought its own. */
  readonly newHostKey?: boolean;
  /** A guest that does not answer for so long is lost. */
  readonly lostAfterSeconds: number;
};

export type SshTarget = SshLogin & { readonly host: string; readonly port: number };

type Argv = readonly [string, ...string[]];

const bannerMs = 3_000;
const pauseMs = 500;
const connectSeconds = 20;
const aliveTries = 3;
const everyExit = Array.from({ length: 256 }, (_, code) => code);

/** ssh's words before the host: our key, our known host, and nothing from the user's or the system's configuration. */
export function sshOptions(target: SshTarget): readonly string[] {
  const options = {
    BatchMode: target.askpass === undefined ? 'yes' : 'no',
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    PasswordAuthentication: target.askpass === undefined ? 'no' : 'yes',
    NumberOfPasswordPrompts: 1,
    StrictHostKeyChecking: target.newHostKey === true ? 'accept-new' : 'yes',
    UserKnownHostsFile: target.knownHostsFile,
    GlobalKnownHostsFile: '/dev/null',
    HashKnownHosts: 'no',
    UpdateHostKeys: 'no',
    HostKeyAlias: target.hostKeyAlias,
    // First of what ssh offers anyway: its own first one (sntrup761) takes a translated guest a second to answer.
    KexAlgorithms: '^curve25519-sha256',
    ConnectTimeout: connectSeconds,
    ServerAliveInterval: Math.floor(target.lostAfterSeconds / aliveTries),
    // ssh gives up when one more than these were not answered.
    ServerAliveCountMax: aliveTries - 1,
    LogLevel: 'ERROR',
  };
  const more = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const key = target.keyFile === undefined ? [] : ['-i', target.keyFile];
  return ['-F', 'none', ...more, ...key, '-p', String(target.port), '-l', target.user];
}

function sshArgv(target: SshTarget, more: readonly string[]): Argv {
  return ['ssh', ...sshOptions(target), ...more];
}

/**
 * The connection that stays: other ssh calls go through its socket. It is a child of ours, so it dies with us. It says
 * more than errors: that a guest does not answer is information to ssh.
 */
export function masterArgv(target: SshTarget, socket: string): Argv {
  // The first value counts.
  return ['ssh', '-o', 'LogLevel=INFO', ...sshOptions(target), '-N', '-T', '-M', '-S', socket, target.host];
}

export function commandArgv(target: SshTarget, socket: string, line: string): Argv {
  return sshArgv(target, ['-T', '-S', socket, target.host, line]);
}

/** A login shell on our own terminal, or what `line` starts. */
export function shellArgv(target: SshTarget, socket: string, line?: string): Argv {
  return sshArgv(target, ['-t', '-S', socket, target.host, ...(line === undefined ? [] : [line])]);
}

/** A guest we are logged in to. */
export type Ssh = {
  /** Run one shell line and give its result back whatever the exit code; a lost connection is an error. */
  run(
    line: string,
    options: Pick<RunOptions, 'stdin' | 'timeoutMs' | 'onLine' | 'stdoutFile'> & { signal: AbortSignal },
  ): Promise<RunResult>;
  /** Settles when the connection is gone: `silent` when the guest did not answer any more. */
  readonly ended: Promise<'silent' | 'closed'>;
  /** A guest that rests does not answer, and that is no loss; until `goOn`. */
  rest(): void;
  goOn(): void;
  close(): Promise<void>;
};

/** Wait until the guest lets us in; `onOpen` gets the connection. */
export function forSsh(target: SshTarget, socket: string, host: Host, onOpen: (ssh: Ssh) => void): Wait {
  let refusal: readonly string[] = ['the guest did not answer on port 22'];
  const attempt = async (signal: AbortSignal): Promise<Ssh | undefined> => {
    try {
      return await openSsh(target, socket, { host, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof IngotError) || error.code === 'TOOL_MISSING') throw error;
      refusal = [error.message, ...error.detail];
      return undefined;
    }
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      // The forwarded port answers before the guest listens, and sshd punishes failed logins: look for its banner first.
      const ready = await answers(target, host, signal);
      const ssh = ready ? await attempt(signal) : undefined;
      if (ssh !== undefined) return onOpen(ssh);
      await host.sleep(pauseMs, signal);
    }
  };
  return { what: 'ssh login', run, lastSeen: () => refusal };
}

async function answers(target: SshTarget, host: Host, signal: AbortSignal): Promise<boolean> {
  const banner = await within(bannerMs, { host, signal }, async (inner) => {
    let said = '';
    const heard = new AbortController();
    const onData = (bytes: Uint8Array): void => {
      said += Buffer.from(bytes).toString('latin1');
      if (said.length >= 4) heard.abort();
    };
    const address = { host: target.host, port: target.port };
    const connection = await host.connect(address, { signal: inner, onData }).catch(() => undefined);
    const enough = AbortSignal.any([inner, heard.signal]);
    enough.addEventListener('abort', () => connection?.close(), { once: true });
    if (enough.aborted) connection?.close();
    await connection?.closed;
    return said;
  });
  return banner?.startsWith('SSH-') === true;
}

/** Log in once. */
async function openSsh(target: SshTarget, socket: string, ctx: Pick<Context, 'host' | 'signal'>): Promise<Ssh> {
  const { host, signal } = ctx;
  await host.files.remove(socket);
  const env = target.askpass === undefined ? {} : { SSH_ASKPASS: target.askpass, SSH_ASKPASS_REQUIRE: 'force' };
  const master = await host.start({ argv: masterArgv(target, socket), env });
  let alive = true;
  void master.exited.then(() => {
    alive = false;
  });
  try {
    while ((await host.files.stat(socket)) === undefined) {
      if (!alive) throw refused(master);
      await host.sleep(50, signal);
    }
  } catch (error) {
    await end(master);
    throw error;
  }
  return {
    run: (line, options) => runLine({ target, socket, line, master: () => alive }, options, host),
    ended: master.exited.then(() => endOf(master.lastLines())),
    rest: () => master.kill('SIGSTOP'),
    goOn: () => master.kill('SIGCONT'),
    close: () => end(master),
  };
}

/** How a connection ended, from ssh's own words (clientloop.c). */
export function endOf(lines: readonly string[]): 'silent' | 'closed' {
  return lines.some((line) => /^Timeout, server \S+ not responding/.test(line)) ? 'silent' : 'closed';
}

function refused(master: Child): IngotError {
  return new IngotError({ code: 'TOOL_FAILED', message: 'ssh could not log in', detail: master.lastLines().slice(-5) });
}

async function end(master: Child): Promise<void> {
  master.kill('SIGTERM');
  // One that rests would not hear it.
  master.kill('SIGCONT');
  await master.exited;
}

async function runLine(
  call: { target: SshTarget; socket: string; line: string; master: () => boolean },
  options: Parameters<Ssh['run']>[1],
  host: Host,
): Promise<RunResult> {
  const argv = commandArgv(call.target, call.socket, call.line);
  const result = await host.run({ argv }, { ...options, ok: everyExit });
  // 255 is what ssh says when it has no connection; a command may say it too.
  if (result.exitCode !== 255 || call.master()) return result;
  throw new IngotError({
    code: 'TOOL_FAILED',
    message: 'the guest closed the ssh connection',
    detail: result.stderr.trim().split('\n').slice(-5),
  });
}
