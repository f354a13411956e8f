import { type Arch, archFromNode } from '../core/arch.ts';
import { type Context, log } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Child, Command, RunOptions, RunResult } from '../core/host.ts';
import type { TreeSession, Work } from '../core/kinds.ts';
import type { Script } from '../core/script.ts';
import {
  binfmt,
  enterScript,
  environmentScript,
  holderCommand,
  idCount,
  idMap,
  insideCommand,
  sandboxCommand,
  subordinateRange,
} from './namespace.ts';

/** A tree under construction. `as` gives the session to a step: output goes under that step's id. */
export type OpenTree = {
  as(ctx: Context): TreeSession;
  /** Give the terminal to a shell in the tree, until the person leaves it. */
  shell(ctx: Context): Promise<void>;
  /** End every process inside and drop the tree. */
  close(): Promise<void>;
};

export type TreeRequest = {
  readonly arch: Arch;
  /** An empty folder that the tree is mounted on; nobody else sees it. */
  readonly place: string;
  /** All times are clamped to this, seconds since 1970. */
  readonly epoch: number;
  /** A caching proxy for package downloads, `http://127.0.0.1:PORT`. */
  readonly proxy?: string;
  readonly projectFile: (path: string) => string;
};

/** Open namespaces with an empty tree in memory. Needs no root where user namespaces and a subuid range are there. */
export async function openTree(request: TreeRequest, ctx: Context): Promise<OpenTree> {
  const { host } = ctx;
  const memory = 0.75 * (await availableMemory(ctx));
  let heard: (line: string) => void = () => undefined;
  const child = await host.start(holderCommand(request.place, Math.floor(memory)), { onLine: (line) => heard(line) });
  const says = (word: string) => heardWord(child, word, (listen) => (heard = listen));
  try {
    await says('mapping');
    await mapIds(child.pid, ctx);
    const ready = says('ready');
    child.write('go\n');
    const pid = Number((await ready).split(' ')[1]);
    const inside = (command: Command, options: RunOptions) => host.run(insideCommand(pid, command), options);
    if (archFromNode(host.arch) !== request.arch) await emulate(request.arch, inside, ctx);
    return {
      as: (stepCtx) => session(request, inside, stepCtx),
      shell: (stepCtx) => shell(placeOf(request, inside), pid, stepCtx),
      close: async () => {
        child.closeStdin();
        child.kill('SIGKILL');
        await child.exited;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

type Inside = (command: Command, options: RunOptions) => Promise<RunResult>;

function session(request: TreeRequest, inside: Inside, ctx: Context): TreeSession {
  const place = placeOf(request, inside);
  const defaults = { signal: ctx.signal, onLine: (line: string) => log(ctx, line) };
  return {
    arch: request.arch,
    root: place.root,
    scratch: place.scratch,
    proxy: request.proxy,
    projectFile: request.projectFile,
    run: (command, options) => inside(command, { ...defaults, ...options }),
    work: treeWork(place, ctx),
  };
}

function placeOf(request: TreeRequest, inside: Inside): Place {
  return { request, root: `${request.place}/tree`, scratch: `${request.place}/scratch`, inside };
}

type Place = {
  readonly request: TreeRequest;
  readonly root: string;
  readonly scratch: string;
  readonly inside: Inside;
};

function treeWork(place: Place, ctx: Context): Work {
  return {
    bench: 'tree',
    arch: place.request.arch,
    exec: async (script, options = {}) => {
      await runScript(place, script, { signal: ctx.signal, onLine: (line) => log(ctx, line), ...options }, ctx);
    },
    read: async (script) => (await runScript(place, script, { signal: ctx.signal }, ctx)).stdout,
  };
}

let entries = 0;

/** What runs a script in the image; its folder of scripts and settings is removed by the caller. */
async function prepare(place: Place, script: Script, ctx: Context) {
  const { request, root, inside } = place;
  const entry = `${place.scratch}/entry-${++entries}`;
  const { signal } = ctx;
  await inside(await entryCommand(entry, script, request, ctx), { signal, stdin: script.text });
  const kind = 'if [ -L "$0" ]; then echo link; elif [ -e "$0" ]; then echo file; else echo missing; fi';
  const look = await inside({ argv: ['sh', '-c', kind, `${root}/etc/resolv.conf`] }, { signal });
  const resolv = look.stdout.trim() as 'link' | 'file' | 'missing';
  const words = [...(script.interpreter ?? ['/bin/sh']), '/run/ingot/script', ...(script.args ?? [])];
  return { entry, argv: sandboxCommand({ root, entry, resolv, argv: words }) };
}

async function runScript(place: Place, script: Script, options: RunOptions, ctx: Context): Promise<RunResult> {
  const { entry, argv } = await prepare(place, script, ctx);
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

const shellScript: Script = {
  text: 'cd /root; PS1="failed step # "; export PS1; exec "$(command -v bash || echo sh)" --norc -i',
};

async function shell(place: Place, pid: number, ctx: Context): Promise<void> {
  const { argv } = await prepare(place, shellScript, ctx);
  const child = await ctx.host.start(insideCommand(pid, { argv }), { terminal: true });
  const leave = () => child.kill('SIGKILL');
  ctx.signal.addEventListener('abort', leave, { once: true });
  await child.exited;
  ctx.signal.removeEventListener('abort', leave);
}

/** Makes the folder that appears as /run/ingot; the script comes on stdin, secrets never on a command line. */
async function entryCommand(entry: string, script: Script, request: TreeRequest, ctx: Context): Promise<Command> {
  const environment = environmentScript({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    DEBIAN_FRONTEND: 'noninteractive',
    SOURCE_DATE_EPOCH: String(request.epoch),
    ...(request.proxy === undefined ? {} : { APT_CONFIG: '/run/ingot/apt.conf' }),
    ...script.env,
  });
  const resolver = (await ctx.host.files.readText('/etc/resolv.conf')) ?? '';
  const apt = request.proxy === undefined ? '' : `Acquire::http::Proxy "${request.proxy}";\n`;
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

function heardWord(child: Child, word: string, listen: (handler: (line: string) => void) => void): Promise<string> {
  const said = new Promise<string>((resolve) => {
    listen((line) => {
      if (line.split(' ')[0] === word) resolve(line);
    });
  });
  const died = child.exited.then(() => {
    throw new IngotError({
      code: 'HOST_UNFIT',
      message: 'this machine does not let us make a user namespace',
      hint: 'see `ingot doctor` for what to change',
      detail: child.lastLines(),
    });
  });
  return Promise.race([said, died]);
}

async function mapIds(pid: number, ctx: Context): Promise<void> {
  const { host } = ctx;
  if (host.user.uid === 0) {
    await host.files.write(`/proc/${pid}/uid_map`, `0 0 ${idCount}`);
    await host.files.write(`/proc/${pid}/gid_map`, `0 0 ${idCount}`);
    return;
  }
  const uids = subordinateRange((await host.files.readText('/etc/subuid')) ?? '', host.user);
  const gids = subordinateRange((await host.files.readText('/etc/subgid')) ?? '', host.user);
  if (uids === undefined || gids === undefined) {
    const name = host.user.name;
    throw new IngotError({
      code: 'HOST_UNFIT',
      message: `the user ${name} has no range of subordinate ids in /etc/subuid and /etc/subgid`,
      hint: `an administrator gives one: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name}`,
    });
  }
  const { signal } = ctx;
  await host.run({ argv: ['newuidmap', String(pid), ...idMap(host.user.uid, uids)] }, { signal });
  await host.run({ argv: ['newgidmap', String(pid), ...idMap(host.user.gid, gids)] }, { signal });
}

/** Foreign programs run through qemu-user, registered in the session's own binfmt_misc (Linux 6.7 or newer). */
async function emulate(arch: Arch, inside: Inside, ctx: Context): Promise<void> {
  const { emulator, line } = binfmt[arch];
  const path = await ctx.host.which(emulator);
  if (path === undefined) {
    throw new IngotError({
      code: 'TOOL_MISSING',
      message: `programs for ${arch} need ${emulator} on this machine`,
      hint: 'install qemu-user-static (./setup does)',
    });
  }
  ctx.emit({
    type: 'warning',
    message: `${arch} programs are emulated on this machine: expect 8 to 12 times the time`,
    hint: `a builder with an ${arch} processor needs none of this`,
  });
  const register =
    'mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && printf %s "$0" > /proc/sys/fs/binfmt_misc/register';
  await inside({ argv: ['sh', '-c', register, line(path)] }, { signal: ctx.signal }).catch(async (error: unknown) => {
    const registered = await ctx.host.files.list('/proc/sys/fs/binfmt_misc');
    if (registered.some((name) => name.includes(arch))) return;
    throw new IngotError({
      code: 'HOST_UNFIT',
      message: `this machine has no handler for ${arch} programs, and its kernel lets us make none of our own`,
      hint: 'install binfmt-support and qemu-user-static, or use Linux 6.7 or newer',
      cause: error,
    });
  });
}

async function availableMemory(ctx: Context): Promise<number> {
  const text = (await ctx.host.files.readText('/proc/meminfo')) ?? '';
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  return available === undefined ? 2 ** 31 : Number(available) * 1024;
}
