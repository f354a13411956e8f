import { type Arch, archFromNode } from '../core/arch.ts';
import { type Context, log } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { TreeSession } from '../core/kinds.ts';
import type { Script } from '../core/script.ts';
import { binfmt, holderCommand, idMap, insideCommand, type Lent, rootMap, subordinateRange } from './namespace.ts';
import { type Place, prepareSandbox } from './sandbox.ts';
import { startTalking } from './talking.ts';
import { treeWork } from './work.ts';

/** A tree under construction. `as` gives the session to a step: output goes under that step's id. */
export type OpenTree = {
  as(ctx: Context): StepSession;
  /** Give the terminal to a shell in the tree, which the script starts, until the person leaves it. */
  shell(visit: TreeVisit, ctx: Context): Promise<void>;
  /** End every process inside and drop the tree. */
  close(): Promise<void>;
};

export type StepSession = TreeSession & {
  /** End what the step left running in the image; before anybody looks at the tree. */
  leave(): Promise<void>;
};

/** A shell for a person, and what it sees of the build machine. */
export type TreeVisit = { readonly script: Script; readonly lent?: readonly Lent[] };

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
  const { child, says } = await startTalking(holderCommand(request.place, Math.floor(memory)), noNamespace, host);
  try {
    await says('mapping');
    await mapIds(child.pid, ctx);
    child.write('go\n');
    const pid = Number((await says('ready')).split(' ')[1]);
    const place = placeOf(request, pid, ctx);
    if (archFromNode(host.arch) !== request.arch) await emulate(request.arch, place, ctx);
    return {
      as: (stepCtx) => session(place, request, stepCtx),
      shell: (visit, stepCtx) => shell(place, visit, stepCtx),
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

function placeOf(request: TreeRequest, pid: number, { host }: Context): Place {
  return {
    root: `${request.place}/tree`,
    scratch: `${request.place}/scratch`,
    pid,
    epoch: request.epoch,
    proxy: request.proxy,
    inside: (command, options) => host.run(insideCommand(pid, command), options),
  };
}

function session(place: Place, request: TreeRequest, ctx: Context): StepSession {
  const defaults = { signal: ctx.signal, onLine: (line: string) => log(ctx, line) };
  return {
    arch: request.arch,
    root: place.root,
    scratch: place.scratch,
    proxy: request.proxy,
    projectFile: request.projectFile,
    run: (command, options) => place.inside(command, { ...defaults, ...options }),
    ...treeWork(place, request.arch, ctx),
  };
}

async function shell(place: Place, { script, lent }: TreeVisit, ctx: Context): Promise<void> {
  const { argv } = await prepareSandbox(place, { ...script, env: { ...terminalOf(ctx), ...script.env } }, ctx, lent);
  const child = await ctx.host.start(insideCommand(place.pid, { argv }), { terminal: true });
  const leave = () => child.kill('SIGKILL');
  ctx.signal.addEventListener('abort', leave, { once: true });
  await child.exited;
  ctx.signal.removeEventListener('abort', leave);
}

function terminalOf({ host }: Context): Readonly<Record<string, string>> {
  const { TERM } = host.env;
  return TERM === undefined ? {} : { TERM };
}

function noNamespace(lines: readonly string[]): IngotError {
  return new IngotError({
    code: 'HOST_UNFIT',
    message: 'this machine does not let us make a user namespace',
    hint: 'see `ingot doctor` for what to change',
    detail: lines,
  });
}

async function mapIds(pid: number, ctx: Context): Promise<void> {
  const { host } = ctx;
  if (host.user.uid === 0) {
    for (const ids of ['uid_map', 'gid_map']) {
      const own = (await host.files.readText(`/proc/self/${ids}`)) ?? '';
      await host.files.write(`/proc/${pid}/${ids}`, rootMap(own));
    }
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
async function emulate(arch: Arch, { inside }: Place, ctx: Context): Promise<void> {
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
