import { enableCompileCache } from 'node:module';
import type { StopSignal } from './cli/interrupts.ts';

// Before anything else is loaded: what was parsed once is not parsed again.
const caches = process.env['XDG_CACHE_HOME'] ?? (process.env['HOME'] && `${process.env['HOME']}/.cache`);
if (caches?.startsWith('/')) enableCompileCache(`${caches}/ingot/compile`);

const { createInterrupts } = await import('./cli/interrupts.ts');
const { readerGone, runCli } = await import('./cli/run.ts');
const { exitCodes } = await import('./core/errors.ts');
const { openAppend } = await import('./host/append.ts');
const { readStdin } = await import('./cli/stdin.ts');

const showCursor = '\u001b[?25h';
function every(milliseconds: number, act: () => void): () => void {
  const timer = setInterval(act, milliseconds).unref();
  return () => clearInterval(timer);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

let tell = (_why: string) => {};

function exitNow(code: number): never {
  if (process.stderr.isTTY) process.stderr.write(showCursor);
  process.exit(code);
}

const interrupts = createInterrupts({
  now: () => performance.now(),
  exit: exitNow,
  onStop: (why) => tell(why),
});
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] satisfies StopSignal[])
  process.on(name, () => interrupts.deliver(name));

// A reader that went away (`| head`) is told by EPIPE, a terminal that went away by EIO; a write must not become a crash.
let isLost = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOSPC' && stream === process.stdout) isLost = true;
    interrupts.stop(readerGone);
  });
}

// A bug: stop as politely as for a signal, but not for ever. `runCli` reports it, being the reason of the stop.
process.on('uncaughtException', (error) => {
  if (interrupts.signal.aborted) return;
  interrupts.stop(error);
  setTimeout(() => {
    process.stderr.write(`error[INTERNAL]: ${error.stack ?? error.message}\n`);
    exitNow(70);
  }, 10_000);
});

const code = await runCli(process.argv.slice(2), {
  openEngine: async (place) => (await import('./app.ts')).openEngine(place),
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => readStdin(process.stdin),
  env: process.env,
  cwd: process.cwd(),
  clock: { now: () => performance.now(), every },
  wallMs: () => Date.now(),
  interrupts,
  onStop: (listener) => {
    tell = listener;
  },
  openLog: openAppend,
});
await Promise.all([process.stdout, process.stderr].map(flushed));
if (isLost) process.stderr.write('error[NO_SPACE]: the output could not be written: no space left\n');
exitNow(isLost ? exitCodes.NO_SPACE : code);
