import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { Readable } from 'node:stream';
import type { ExecaError, Result } from 'execa';
import { IngotError } from '../core/errors.ts';
import type { Child, Command, RunOptions, RunResult, StartOptions } from '../core/host.ts';
import { answerSplitter, lineSplitter } from './lines.ts';

const keptBytes = 10 * 1024 * 1024;
const keptLines = 40;

const searchPath = [...new Set([...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin'])]
  .filter((folder) => folder !== '')
  .join(delimiter);

/** What programs are run with: our environment, but one language and one time zone everywhere. */
const baseEnvironment = { PATH: searchPath, LC_ALL: 'C.UTF-8', LANG: 'C.UTF-8', LANGUAGE: undefined, TZ: 'UTC' };

const found = new Map<string, string>();

/** The absolute path of a program, or undefined. */
export async function which(program: string): Promise<string | undefined> {
  if (isAbsolute(program)) return (await isRunnable(program)) ? program : undefined;
  const known = found.get(program);
  if (known !== undefined) return known;
  for (const folder of searchPath.split(delimiter)) {
    const candidate = join(folder, program);
    if (!(await isRunnable(candidate))) continue;
    found.set(program, candidate);
    return candidate;
  }
  return undefined;
}

function isRunnable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * The argv that makes a program die with this process even when we are killed: the kernel sends KILL at our death,
 * and the shell gives up when we died before that was armed (prctl(2), PR_SET_PDEATHSIG).
 */
export async function bound(command: Command): Promise<readonly [string, ...string[]]> {
  const [program, ...rest] = command.argv;
  const path = await which(program);
  if (path === undefined) {
    throw new IngotError({
      code: 'TOOL_MISSING',
      message: `the program ${program} is not on this machine`,
      hint: 'run ./setup, or see `ingot doctor` for what is missing',
    });
  }
  if (process.platform !== 'linux' || (await which('setpriv')) === undefined) return [path, ...rest];
  const guard = '[ "$PPID" = "$0" ] && exec "$@"';
  return ['setpriv', '--pdeathsig', 'KILL', 'sh', '-c', guard, String(process.pid), path, ...rest];
}

/** Run a program to its end; see `Host.run`. */
export async function run(command: Command, options: RunOptions = {}): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const [file, ...args] = await bound(command);
  // Loaded when first needed: a run that starts no program does without it.
  const { execa } = await import('execa');
  if (options.stdoutFile !== undefined) await (await open(options.stdoutFile, 'w', 0o600)).close();
  const subprocess = execa(file, args, {
    ...commonOptions(command),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.stdin === undefined ? { stdin: 'ignore' } : { input: stdinOf(options.stdin) }),
    stdout: options.stdoutFile === undefined ? 'pipe' : { file: options.stdoutFile },
    buffer: false,
  });
  const stdout = new Tail(options.keepBytes ?? keptBytes);
  const stderr = new Tail(options.keepBytes ?? keptBytes);
  const last = new LastLines(options.onLine);
  if (options.stdoutFile === undefined) subprocess.stdout?.on('data', (bytes: Buffer) => stdout.add(bytes));
  subprocess.stderr?.on('data', (bytes: Buffer) => stderr.add(bytes));
  if (options.stdoutFile === undefined) subprocess.stdout?.on('data', last.splitter(options.onAnswer));
  subprocess.stderr?.on('data', last.splitter());
  const result = (await subprocess) as unknown as Result;
  last.end();
  if (options.signal?.aborted === true) throw options.signal.reason;
  const cutOff = streamFailure(command, result);
  if (cutOff !== undefined) throw cutOff;
  const exitCode = result.exitCode ?? -1;
  if (!(options.ok ?? [0]).includes(exitCode)) throw failure(command, result, last.lines, options);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** Start a program that lives on; see `Host.start`. */
export async function start(command: Command, options: StartOptions = {}): Promise<Child> {
  const [file, ...args] = await bound(command);
  const { execa } = await import('execa');
  const terminal = options.terminal === true;
  const subprocess = execa(file, args, {
    ...commonOptions(command),
    killDescendants: !terminal,
    ...(terminal ? { stdio: 'inherit' } : { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe', buffer: false }),
  });
  const last = new LastLines(options.onLine);
  subprocess.stdout?.on('data', last.splitter());
  subprocess.stderr?.on('data', last.splitter());
  // A child that is gone closes its stdin: that is told by `exited`, not by an error here.
  subprocess.stdin?.on('error', () => undefined);
  if (subprocess.pid === undefined) {
    await subprocess;
    throw new IngotError({ code: 'TOOL_FAILED', message: `${command.argv[0]} could not be started` });
  }
  const exited = subprocess.then((ended) => {
    last.end();
    const result = ended as unknown as Result;
    return { exitCode: result.exitCode, signal: result.signal };
  });
  return {
    pid: subprocess.pid,
    write: (text) => void subprocess.stdin?.write(text),
    closeStdin: () => void subprocess.stdin?.end(),
    kill: (signal) => void subprocess.kill(signal),
    exited,
    lastLines: () => last.lines,
  };
}

/** What is said to execa whatever the program is. */
export function commonOptions(command: Command) {
  return {
    reject: false,
    killDescendants: true,
    forceKillAfterDelay: 5000,
    stripFinalNewline: false,
    env: { ...baseEnvironment, ...command.env },
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
  } as const;
}

function stdinOf(stdin: string | AsyncIterable<Uint8Array>): string | Readable {
  return typeof stdin === 'string' ? stdin : Readable.from(stdin);
}

/** What the exit code does not tell: the program's input broke, its output file was full, or it could not start. */
function streamFailure(command: Command, result: Result): IngotError | undefined {
  const { cause, originalMessage } = result as ExecaError;
  if (!(cause instanceof Error) || result.timedOut) return undefined;
  if (cause instanceof IngotError) return cause;
  const program = command.name ?? command.argv[0];
  if ('code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')) return noSpace(program, [], cause);
  const [why = cause.message] = (originalMessage ?? cause.message).split('\n');
  return new IngotError({ code: 'TOOL_FAILED', message: `${program} could not do its work: ${why}`, cause });
}

function noSpace(program: string, detail: readonly string[], cause: unknown): IngotError {
  return new IngotError({
    code: 'NO_SPACE',
    message: `no space left on this machine while ${program} was writing`,
    hint: 'free some space (`ingot gc` removes what can be made again) and run the same command',
    detail,
    cause,
  });
}

function failure(command: Command, result: Result, lines: readonly string[], options: RunOptions): IngotError {
  const failed = result as ExecaError;
  const program = command.name ?? command.argv[0];
  if (result.timedOut) {
    return new IngotError({
      code: 'TIMEOUT',
      message: `${program} did not end within ${Math.round((options.timeoutMs ?? 0) / 1000)} s`,
      detail: lines,
    });
  }
  const isFull = lines.some((line) => line.includes('No space left on device'));
  if (isFull) return noSpace(program, lines.slice(-20), failed.cause);
  const how = result.signal === undefined ? `ended with exit code ${result.exitCode}` : diedOf(result.signal);
  return new IngotError({
    code: 'TOOL_FAILED',
    message: `${program} ${how}`,
    detail: lines.slice(-20),
    cause: failed.cause,
  });
}

function diedOf(signal: string): string {
  return signal === 'SIGKILL' ? 'was killed (SIGKILL), likely for want of memory' : `was ended by ${signal}`;
}

/** The last bytes of a stream. */
class Tail {
  readonly #chunks: Buffer[] = [];
  readonly #most: number;
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    while (this.#size > this.#most && this.#chunks.length > 1) this.#size -= this.#chunks.shift()?.length ?? 0;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/** Both streams as lines: told as they come, the last ones kept. */
class LastLines {
  readonly lines: string[] = [];
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #ends: (() => void)[] = [];

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine;
  }

  /** Of a stream whose lines are kept, or go to somebody else. */
  splitter(onAnswer?: (line: string) => void): (bytes: Buffer) => void {
    const keep = (line: string) => {
      this.lines.push(line);
      if (this.lines.length > keptLines) this.lines.shift();
      this.#onLine?.(line);
    };
    const split = onAnswer === undefined ? lineSplitter(keep) : answerSplitter(onAnswer);
    this.#ends.push(split.end);
    return split.add;
  }

  end(): void {
    for (const end of this.#ends) end();
  }
}
