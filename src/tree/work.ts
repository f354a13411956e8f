import type { Arch } from '../core/arch.ts';
import { type Context, log } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { RunOptions, RunResult } from '../core/host.ts';
import type { Work } from '../core/kinds.ts';
import type { Script } from '../core/script.ts';
import { treeLogin } from './login.ts';
import { type Place, prepareSandbox } from './sandbox.ts';

export type TreeWork = {
  readonly work: Work;
  /** End what logins left running in the image, and with it the sandbox they went into. */
  leave(): Promise<void>;
};

/** The image under change in a tree. */
export function treeWork(place: Place, arch: Arch, ctx: Context): TreeWork {
  const { signal } = ctx;
  const onLine = (line: string) => log(ctx, line);
  const { login, beside, leave } = treeLogin(place, ctx);
  const work: Work = {
    bench: 'tree',
    arch,
    exec: async (script, options = {}) => {
      await runScript(place, script, { signal, onLine, ...options }, ctx);
    },
    read: async (script) => (await runScript(place, script, { signal }, ctx)).stdout,
    readTo: async (script, file) => {
      await runScript(place, script, { signal, onLine, stdoutFile: file }, ctx);
    },
    login,
    beside: (command, options) => beside(command, { signal, onLine, ...options }),
  };
  return { work, leave };
}

async function runScript(place: Place, script: Script, options: RunOptions, ctx: Context): Promise<RunResult> {
  const { entry, argv } = await prepareSandbox(place, script, ctx);
  try {
    return await place.inside({ argv }, options);
  } catch (error) {
    if (!(error instanceof IngotError) || error.code !== 'TOOL_FAILED') throw error;
    const code = /exit code (\d+)/.exec(error.message)?.[1];
    const how = code === undefined ? `was ended: ${error.message}` : `ended with exit code ${code}`;
    throw new IngotError({
      code: 'STEP_FAILED',
      message: `${script.name ?? 'the script'} ${how}`,
      detail: [
        `command: ${[...(script.interpreter ?? ['/bin/sh']), ...(script.args ?? [])].join(' ')}`,
        ...error.detail,
      ],
      cause: error,
    });
  } finally {
    // It goes with the tree at the latest; the script's own failure is what counts.
    await place.inside({ argv: ['rm', '-rf', entry] }, {}).catch(() => undefined);
  }
}
