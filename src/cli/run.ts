import { CommanderError } from 'commander';
import { exitCodes, IngotError } from '../core/errors.ts';
import { type ErrorJson, errorJson, errorLines, exitCodeOf } from './error-text.ts';
import { createProgram } from './program.ts';
import { type CliDeps, openSession } from './session.ts';
import { painter, wantsColor } from './terminal.ts';
import type { Act } from './verb.ts';

/** Why a run stops when what it prints to was closed: it ends quietly. */
export const readerGone = new IngotError({ code: 'CANCELLED', message: 'nobody reads the output any more' });

/** Run one command line, without the program's name, to its exit code. Never throws. */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  let exit = 0;
  const act: Act = async (globals, work, mode = 'single') => {
    const session = openSession(globals, deps, mode);
    try {
      exit = await work(session);
    } finally {
      session.close();
    }
  };
  try {
    const program = await createProgram(argv, deps, act);
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return fail(firstReason(error, deps.interrupts.signal), argv, deps);
  }
  return exit;
}

/** What ended the run first: a wish to stop outweighs the failures that it brings about. */
function firstReason(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return error instanceof CommanderError ? usageError(error) : error;
}

function fail(error: unknown, argv: readonly string[], deps: CliDeps): number {
  const record = errorJson(error);
  if (error === readerGone) return exitCodes.CANCELLED;
  report(record, argv, deps);
  return exitCodeOf(record.code);
}

function report(record: ErrorJson, argv: readonly string[], deps: CliDeps): void {
  const color = wantsColor(deps.stderr, deps.env, !argv.includes('--no-color'));
  deps.stderr.write(`${errorLines(record, { paint: painter(color), color, cwd: deps.cwd }).join('\n')}\n`);
  if (!argv.includes('--json')) return;
  deps.stdout.write(`${JSON.stringify({ schemaVersion: 1, kind: 'error', error: record })}\n`);
}

// Commander puts its suggestion in brackets on a second line of the message.
function usageError(error: CommanderError): IngotError {
  if (error.code === 'commander.help') {
    return new IngotError({ code: 'USAGE', message: 'no command given', hint: 'ingot --help shows the commands' });
  }
  const [, message = error.message, near] =
    /^(?:error: )?(.*?)\.?(?:\n\(Did you mean (?:one of )?(.*)\?\))?$/s.exec(error.message) ?? [];
  const hint =
    near === undefined ? 'ingot --help shows the commands, ingot help COMMAND one of them' : `did you mean ${near}?`;
  return new IngotError({ code: 'USAGE', message, hint });
}
