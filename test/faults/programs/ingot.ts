// The real command line and engine with the fixture's kinds: `node ingot.ts build small --home H --project P`.

import { createInterrupts } from '../../../src/cli/interrupts.ts';
import { runCli } from '../../../src/cli/run.ts';
import { readStdin } from '../../../src/cli/stdin.ts';
import { createEngine } from '../../../src/engine/engine.ts';
import { openAppend } from '../../../src/host/append.ts';
import { createHost } from '../../../src/host/host.ts';
import { fixtureKinds } from '../../support/fixture-kinds.ts';

const interrupts = createInterrupts({
  now: () => performance.now(),
  exit: (code) => process.exit(code),
  onStop: () => undefined,
});
process.exitCode = await runCli(process.argv.slice(2), {
  openEngine: async (place) => createEngine({ host: createHost(), kinds: fixtureKinds, place, cwd: process.cwd() }),
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => readStdin(process.stdin),
  env: process.env,
  cwd: process.cwd(),
  clock: { now: () => performance.now(), every: () => () => undefined },
  wallMs: () => Date.now(),
  interrupts,
  onStop: () => undefined,
  openLog: openAppend,
});
