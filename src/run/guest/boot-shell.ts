import type { Context } from '../../core/context.ts';
import type { Firmware } from '../../core/spec.ts';
import { environmentText } from '../../guest/script.ts';
import { shellArgv } from '../../guest/ssh.ts';
import { rootShellScript, type ShellLook } from '../root-shell.ts';
import { type BootedGuest, bootCopy } from './boot-guest.ts';
import { type CopyRequest, openCopyBench } from './guest-bench.ts';
import { runInGuest } from './guest-work.ts';

export type ShellRequest = CopyRequest & {
  readonly firmware: Firmware;
  /** Called when the guest is up, just before it gets the terminal. */
  readonly onReady?: () => void;
};

/**
 * Boot a throw-away copy of a disk and give the terminal to a login in it, until the person leaves. Gives the exit
 * code of that shell. The boot is reported under the context's step.
 */
export async function bootShell(request: ShellRequest, ctx: Context): Promise<number> {
  const bench = await openCopyBench(request, ctx);
  try {
    const guest = await bootCopy(bench, request.medium, request.firmware, ctx);
    try {
      request.onReady?.();
      return await loginShell(guest, ctx);
    } finally {
      await guest.stop();
    }
  } finally {
    await bench.close();
  }
}

/** Give the terminal to a shell of root's in a guest until the person leaves. */
export async function rootShell(guest: BootedGuest, look: ShellLook, ctx: Context): Promise<void> {
  const script = rootShellScript(look);
  const file = '/run/ingot-shell';
  const stdin = `${environmentText(script, true)}${script.text}`;
  await runInGuest(guest, { name: 'preparing the shell', text: `umask 022; cat >${file}` }, { stdin });
  const root = guest.target.user === 'root' ? '' : 'sudo -n -- ';
  await loginShell(guest, ctx, `${root}/bin/sh ${file}`);
}

/** Give the terminal to a login in a guest until the person leaves; gives the exit code of that shell. */
async function loginShell(guest: BootedGuest, ctx: Context, line?: string): Promise<number> {
  const argv = shellArgv(guest.target, guest.sshSocket, line);
  const shell = await ctx.host.start({ argv }, { terminal: true });
  const leave = (): void => shell.kill('SIGTERM');
  const ends = AbortSignal.any([ctx.signal, guest.lost]);
  ends.addEventListener('abort', leave, { once: true });
  if (ends.aborted) leave();
  const { exitCode } = await shell.exited;
  ctx.signal.throwIfAborted();
  return exitCode ?? 255;
}
