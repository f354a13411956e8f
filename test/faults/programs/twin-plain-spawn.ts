// Broken process ownership: programs are started as Node starts them, and nothing ends them when we die.

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { run as Real } from '../../../src/host/process.ts';
import { replaceModule } from './twin.ts';

replaceModule('host/process.ts', import.meta.url);

export * from '../../../src/host/process.ts';

export const run: typeof Real = async ({ argv: [program, ...args], cwd, env }, { stdin } = {}) => {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env } });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  if (typeof stdin === 'string' || stdin === undefined) child.stdin.end(stdin);
  else for await (const bytes of stdin) child.stdin.write(bytes);
  child.stdin.end();
  const exitCode = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  const [stdout, stderr] = await output;
  return { exitCode, stdout, stderr };
};
