import type { Engine, EnginePlace, Io } from './engine.ts';
import { type ErrorJson, errorLines } from './error-text.ts';
import type { Interrupts } from './interrupts.ts';
import { jsonReporter } from './report/json.ts';
import { logFileReporter } from './report/log-file.ts';
import { plainReporter } from './report/plain.ts';
import { type Clock, type Reporter, together } from './report/reporter.ts';
import { ttyReporter } from './report/tty.ts';
import { canRedraw, type Marks, marksFor, type Out, type Paint, painter, wantsColor } from './terminal.ts';

/** Options that every command takes, as commander gives them. */
export type Globals = {
  readonly json?: true;
  readonly project?: string;
  readonly home?: string;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly color: boolean;
  readonly logFile?: string;
};

/** The outside of the command line: real in `main.ts`, faked in tests. */
export type CliDeps = {
  readonly openEngine: (place: EnginePlace) => Promise<Engine>;
  readonly stdout: Out;
  readonly stderr: Out;
  /** All that comes on stdin; fails where a person would have to type it. */
  readonly stdin: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the command was run. */
  readonly cwd: string;
  readonly clock: Clock;
  /** Milliseconds since 1970, UTC. */
  readonly wallMs: () => number;
  readonly interrupts: Interrupts;
  /** Be told, from now on, that the run stops and why. */
  readonly onStop: (tell: (why: string) => void) => void;
  /** Append lines to a file that is made when it is not there. */
  readonly openLog: (path: string) => { line(text: string): void; close(): void };
};

/** What one command works with. */
export type Session = {
  readonly json: boolean;
  readonly engine: () => Promise<Engine>;
  readonly io: Io;
  readonly stdin: () => Promise<string>;
  /** The result, for people. */
  print(lines: readonly string[]): void;
  /** The result, for programs: one object. */
  printJson(kind: string, data: unknown): void;
  /** A remark beside the result; silent with `--quiet` and `--json`. */
  remark(line: string): void;
  /** An error that does not end the command. */
  complain(error: ErrorJson): void;
  /** For results. */
  readonly paint: Paint;
  readonly marks: Marks;
  readonly columns: number;
  readonly wallMs: () => number;
  close(): void;
};

/** Open a session as the global options say. `streams`: with `--json`, events go to stdout as they happen. */
export function openSession(globals: Globals, deps: CliDeps, mode: 'streams' | 'single'): Session {
  const json = globals.json === true;
  const color = wantsColor(deps.stderr, deps.env, globals.color);
  const errPaint = painter(color);
  const log = globals.logFile === undefined ? undefined : deps.openLog(globals.logFile);
  const display =
    json && mode === 'streams' ? jsonReporter(lineTo(deps.stdout)) : screenReporter(globals, deps, errPaint);
  const reporter = log === undefined ? display : together([display, logFileReporter((text) => log.line(text))]);
  deps.onStop((why) => reporter.stopping(why));
  let engine: Promise<Engine> | undefined;
  const write = (out: Out, lines: readonly string[]) => {
    reporter.close();
    if (lines.length > 0) out.write(`${lines.join('\n')}\n`);
  };
  return {
    json,
    engine: () => (engine ??= deps.openEngine({ project: globals.project, home: globals.home })),
    io: ioOf(reporter, deps.interrupts),
    stdin: deps.stdin,
    print: (lines) => write(deps.stdout, lines),
    printJson(kind, data) {
      const object = { schemaVersion: 1, kind, data };
      write(deps.stdout, [mode === 'streams' ? JSON.stringify(object) : JSON.stringify(object, null, 2)]);
    },
    remark(line) {
      if (!json && globals.quiet !== true) write(deps.stderr, [line]);
    },
    complain: (error) => write(deps.stderr, errorLines(error, { paint: errPaint, color, cwd: deps.cwd })),
    paint: painter(wantsColor(deps.stdout, deps.env, globals.color)),
    marks: marksFor(deps.env),
    columns: deps.stdout.isTTY === true ? (deps.stdout.columns ?? 80) : 120,
    wallMs: deps.wallMs,
    close() {
      reporter.close();
      log?.close();
    },
  };
}

function screenReporter(globals: Globals, deps: CliDeps, paint: Paint): Reporter {
  const common = { paint, marks: marksFor(deps.env), clock: deps.clock };
  if (globals.quiet !== true && globals.verbose !== true && globals.json !== true && canRedraw(deps.stderr, deps.env)) {
    return ttyReporter({ ...common, out: deps.stderr, canvas: () => canvasOn(deps.stderr) });
  }
  const normal = globals.verbose === true ? 'verbose' : 'normal';
  const detail = globals.quiet === true || globals.json === true ? 'quiet' : normal;
  return plainReporter({ ...common, line: lineTo(deps.stderr), detail });
}

async function canvasOn(out: Out) {
  const { createLogUpdate } = await import('log-update');
  // The cursor is hidden by the reporter: log-update's own way installs signal handlers beside ours.
  return createLogUpdate(out as NodeJS.WriteStream, { showCursor: true });
}

function lineTo(out: Out): (text: string) => void {
  return (text) => out.write(`${text}\n`);
}

function ioOf(reporter: Reporter, interrupts: Interrupts): Io {
  return {
    signal: interrupts.signal,
    emit: (event) => reporter.event(event),
    async withTerminal(run) {
      reporter.rest();
      try {
        return await interrupts.hold(run);
      } finally {
        reporter.wake();
      }
    },
  };
}
