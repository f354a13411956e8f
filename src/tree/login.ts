import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Child, Command, RunOptions, RunResult } from '../core/host.ts';
import type { Login } from '../core/kinds.ts';
import type { Script } from '../core/script.ts';
import { insideCommand } from './namespace.ts';
import { type Place, prepareSandbox } from './sandbox.ts';
import { standIn } from './stand-in.ts';
import { startTalking } from './talking.ts';

export type TreeLogin = {
  readonly login: Login;
  readonly beside: (command: Command, options: RunOptions) => Promise<RunResult>;
  /** End everything that logins started. */
  readonly leave: () => Promise<void>;
};

let logins = 0;

/**
 * How programs of the build machine get into a tree: a stand-in for ssh that enters a sandbox, the same as that of
 * scripts. It is opened for the first such program and stays until `leave`, so that /tmp and processes in the
 * background last from one login to the next, as on a machine.
 */
export function treeLogin(place: Place, ctx: Context): TreeLogin {
  const folder = `${place.scratch}/login-${++logins}`;
  const ssh = `${folder}/ssh`;
  let opened: Promise<Child> | undefined;
  return {
    login: { ssh, host: 'image', port: 22, user: 'root', sudo: false, options: [] },
    beside: async (command, options) => {
      opened ??= open(place, folder, ctx);
      await opened;
      return place.inside(command, options);
    },
    leave: async () => {
      const child = await opened?.catch(() => undefined);
      opened = undefined;
      child?.closeStdin();
      await child?.exited;
    },
  };
}

/** Ends with our end of its stdin, and every process of the sandbox with it. */
const holder: Script = { text: 'echo ready; read -r end' };

async function open(place: Place, folder: string, ctx: Context): Promise<Child> {
  const { host, signal } = ctx;
  const { inside } = place;
  await inside({ argv: ['mkdir', '-p', folder] }, { signal });
  const { argv } = await prepareSandbox(place, holder, ctx);
  const [bwrap, ...words] = argv;
  const told = ['sh', '-c', 'exec 3>"$0"; exec "$@"', `${folder}/info`, bwrap, '--info-fd', '3', ...words] as const;
  const { child, says } = await startTalking(insideCommand(place.pid, { argv: [...told] }), noShell, host);
  try {
    await says('ready');
    await writeStandIn(place, folder, ctx);
    return child;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

async function writeStandIn({ inside }: Place, folder: string, { host, signal }: Context): Promise<void> {
  const { stdout } = await inside({ argv: ['cat', `${folder}/info`] }, { signal });
  const { 'child-pid': pid } = JSON.parse(stdout) as { readonly 'child-pid': number };
  const nsenter = (await host.which('nsenter')) ?? 'nsenter';
  const write = 'cat > "$0" && chmod 755 "$0"';
  await inside({ argv: ['sh', '-c', write, `${folder}/ssh`] }, { signal, stdin: standIn({ nsenter, pid }) });
}

function noShell(lines: readonly string[]): IngotError {
  return new IngotError({ code: 'STEP_FAILED', message: 'no shell can be started in the image', detail: lines });
}
