import type { Context } from '../core/context.ts';
import type { Command, RunOptions, RunResult } from '../core/host.ts';
import type { Script } from '../core/script.ts';
import { enterScript, environmentScript, type Lent, sandboxCommand } from './namespace.ts';

/** An open tree, as those see it who run things in it. */
export type Place = {
  /** The root of the tree, as programs of the build machine see it inside the session. */
  readonly root: string;
  /** An empty folder beside it, for work files. */
  readonly scratch: string;
  /** The first process of the session. */
  readonly pid: number;
  /** Seconds since 1970. */
  readonly epoch: number;
  /** A caching proxy for package downloads, `http://127.0.0.1:PORT`. */
  readonly proxy: string | undefined;
  /** Run a program of the build machine inside the session. */
  readonly inside: (command: Command, options: RunOptions) => Promise<RunResult>;
};

export type Sandbox = {
  /** The folder that appears as /run/ingot; whoever asked for the sandbox removes it. */
  readonly entry: string;
  /** Runs the script in the image. */
  readonly argv: readonly [string, ...string[]];
};

let entries = 0;

/** Prepare to run a script with the tree as the whole root file system. */
export async function prepareSandbox(
  place: Place,
  script: Script,
  ctx: Context,
  lent: readonly Lent[] = [],
): Promise<Sandbox> {
  const { root, inside } = place;
  const entry = `${place.scratch}/entry-${++entries}`;
  const { signal } = ctx;
  await inside(await entryCommand(entry, script, place, ctx), { signal, stdin: script.text });
  if (lent.length > 0) await inside({ argv: ['mkdir', ...lent.map(({ name }) => `${entry}/${name}`)] }, { signal });
  const kind = 'if [ -L "$0" ]; then echo link; elif [ -e "$0" ]; then echo file; else echo missing; fi';
  const look = await inside({ argv: ['sh', '-c', kind, `${root}/etc/resolv.conf`] }, { signal });
  const resolv = look.stdout.trim() as 'link' | 'file' | 'missing';
  const words = [...(script.interpreter ?? ['/bin/sh']), '/run/ingot/script', ...(script.args ?? [])];
  return { entry, argv: sandboxCommand({ root, entry, lent, resolv, argv: words }) };
}

/** Makes the folder that appears as /run/ingot; the script comes on stdin, secrets never on a command line. */
async function entryCommand(entry: string, script: Script, place: Place, ctx: Context): Promise<Command> {
  const environment = environmentScript({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    DEBIAN_FRONTEND: 'noninteractive',
    // Starting and reloading units succeeds and does nothing, as policy-rc.d has it for packages (systemctl(1)).
    SYSTEMD_OFFLINE: '1',
    SOURCE_DATE_EPOCH: String(place.epoch),
    ...(place.proxy === undefined ? {} : { APT_CONFIG: '/run/ingot/apt.conf' }),
    ...script.env,
  });
  const resolver = (await ctx.host.files.readText('/etc/resolv.conf')) ?? '';
  const apt = place.proxy === undefined ? '' : `Acquire::http::Proxy "${place.proxy}";\n`;
  const write = [
    'mkdir -m 0755 "$0"',
    'cd "$0"',
    'cat > script',
    'chmod 755 script',
    ...['environment', 'enter', 'resolv.conf', 'apt.conf'].map(
      (name) => `printf %s "$ingot_${name.split('.')[0]}" > ${name}`,
    ),
    'chmod 600 environment',
  ].join(' && ');
  const env = { ingot_environment: environment, ingot_enter: enterScript, ingot_resolv: resolver, ingot_apt: apt };
  return { argv: ['sh', '-c', write, entry], env };
}
