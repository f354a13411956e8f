/** The outside world as a port: `host/` implements it, tests fake it. Nothing else spawns, opens or connects. */
export type Host = {
  /** Run a program to its end. Fails with TOOL_MISSING, TOOL_FAILED (last lines as detail) or the signal's reason. */
  run(command: Command, options?: RunOptions): Promise<RunResult>;
  /** Start a program that lives on; it dies with this process. */
  start(command: Command, options?: StartOptions): Promise<Child>;
  /** The absolute path of a program on PATH (with /usr/sbin and /sbin), or undefined. */
  which(program: string): Promise<string | undefined>;
  /** Connect to a unix socket or a TCP port. Fails with the system's error, or with the signal's reason. */
  connect(address: Address, options: ConnectOptions): Promise<Connection>;
  readonly files: Files;
  /** Do something with a folder (mode 0700) that is gone afterwards; after a kill, with the next build. */
  withTemporary<T>(action: (folder: string) => Promise<T>): Promise<T>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The id of this process. */
  readonly pid: number;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  readonly platform: NodeJS.Platform;
  /** `process.arch`. */
  readonly arch: string;
  readonly cpus: number;
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** Milliseconds on a clock that never goes back. */
  monotonic(): number;
  randomBytes(size: number): Buffer;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
};

export type Command = {
  /** What to call it in errors; default: the program. */
  readonly name?: string;
  readonly argv: readonly [string, ...string[]];
  /** Added to (never replacing) the environment Ingot runs programs with; undefined removes a name. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
};

export type RunOptions = {
  readonly signal?: AbortSignal;
  /** Text, or bytes as they come; default: empty, closed. */
  readonly stdin?: string | AsyncIterable<Uint8Array>;
  /** Called with each line of stdout and stderr as it comes, escapes made harmless. */
  readonly onLine?: (line: string) => void;
  /** Called with each line of stdout as it is (of 1 MiB at most), which then is no output for `onLine` and for errors. */
  readonly onAnswer?: (line: string) => void;
  /** Write stdout to this file (created, mode 0600) instead of keeping it. */
  readonly stdoutFile?: string;
  /** Exit codes that are no failure; default [0]. */
  readonly ok?: readonly number[];
  readonly timeoutMs?: number;
  /** How much of stdout and of stderr is kept, the last bytes of each; default 10 MiB. */
  readonly keepBytes?: number;
};

/** Output is kept to its last `keepBytes`. */
export type RunResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

export type StartOptions = {
  readonly onLine?: (line: string) => void;
  /** Give the child our terminal; used by interactive shells only. */
  readonly terminal?: boolean;
};

export type Child = {
  readonly pid: number;
  /** Write to stdin; closing it is how tree sessions end. */
  write(text: string): void;
  closeStdin(): void;
  kill(signal: NodeJS.Signals): void;
  /** Settles when the program ended, however it ended; never rejects. */
  readonly exited: Promise<{ readonly exitCode: number | undefined; readonly signal: string | undefined }>;
  /** The last lines it printed, newest last. */
  lastLines(): readonly string[];
};

export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

export type ConnectOptions = {
  readonly signal: AbortSignal;
  /** Called with the bytes as they come. */
  readonly onData: (bytes: Uint8Array) => void;
};

export type Connection = {
  write(text: string): void;
  /** Close at once; no error when it is closed already. */
  close(): void;
  /** Settles when either side closed it or it broke; never rejects. */
  readonly closed: Promise<void>;
};

export type FileKind = 'file' | 'directory' | 'link' | 'other';

export type Files = {
  /** The text of a file, or undefined where there is none. */
  readText(path: string): Promise<string | undefined>;
  read(path: string, options?: { offset?: number; length?: number }): Promise<Buffer>;
  stat(path: string): Promise<{ kind: FileKind; size: number; mode: number; modifiedMs: number } | undefined>;
  list(path: string): Promise<readonly string[]>;
  write(path: string, data: string | Uint8Array, mode?: number): Promise<void>;
  makeDirectory(path: string, mode?: number): Promise<void>;
  /** Remove a file or a folder with all it holds; no error where there is none. */
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  readLink(path: string): Promise<string>;
  realPath(path: string): Promise<string>;
  sha256(path: string, signal?: AbortSignal): Promise<string>;
  freeBytes(path: string): Promise<number>;
  /** Open a file: to read it, to change it, or a `new` one in the place of any that is there. */
  open(path: string, mode: 'read' | 'change' | 'new'): Promise<OpenFile>;
};

export type OpenFile = {
  /** Bytes from an offset; fewer than asked for only at the end of the file. `into`: where to put them, instead of new memory. */
  read(offset: number, length: number, into?: Buffer): Promise<Buffer>;
  /** Write at an offset; what lies between it and the end of a shorter file is a hole. */
  write(offset: number, data: Uint8Array): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
};
