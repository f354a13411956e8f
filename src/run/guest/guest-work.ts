import type { Context } from '../../core/context.ts';
import { log } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import type { RunOptions, RunResult } from '../../core/host.ts';
import type { Work } from '../../core/kinds.ts';
import { type Script, shellLine } from '../../core/script.ts';
import { sshOptions } from '../../guest/ssh.ts';
import type { BootedGuest } from './boot-guest.ts';

const shownLines = 20;

/** A running guest as steps see it. `restart` may do more than the guest itself does. */
export function guestWork(guest: BootedGuest, ctx: Context, restart: () => Promise<void>): Work {
  const tell = (line: string) => log(ctx, line);
  return {
    bench: 'guest',
    arch: guest.arch,
    exec: async (script, options = {}) => {
      await runInGuest(guest, script, { ...options, onLine: tell });
    },
    read: async (script) => (await runInGuest(guest, script, {})).stdout,
    readTo: async (script, file) => {
      await runInGuest(guest, script, { stdoutFile: file });
    },
    get login() {
      const { target, sshSocket } = guest;
      const { host, port, user } = target;
      const options = [...sshOptions(target), '-o', `ControlPath=${sshSocket}`];
      return { ssh: 'ssh', host, port, user, sudo: user !== 'root', options };
    },
    beside: (command, options = {}) => {
      const signal = AbortSignal.any([
        ctx.signal,
        guest.lost,
        ...(options.signal === undefined ? [] : [options.signal]),
      ]);
      return ctx.host.run(command, { onLine: tell, ...options, signal });
    },
    restart,
  };
}

/** Run a script as root; a failure is told with its command, its exit code and its last lines. */
export async function runInGuest(
  guest: BootedGuest,
  script: Script,
  options: Pick<RunOptions, 'stdin' | 'stdoutFile' | 'onLine'>,
): Promise<RunResult> {
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
    if (lines.length > shownLines) lines.shift();
    options.onLine?.(line);
  };
  const result = await guest.run(script, { ...options, onLine }).catch(async (error: unknown) => {
    throw await guest.explain(error);
  });
  if (result.exitCode === 0) return result;
  const isFull = lines.some((line) => /No space left on device|have enough free space/i.test(line));
  const full = isFull ? await fullPlaces(guest) : [];
  const where = full.length === 0 ? 'its disk' : full.join(' and ');
  const fullHint = { hint: "the image's disk is full: raise `disk:` in its file, or write less" };
  throw new IngotError({
    code: 'STEP_FAILED',
    message: `${script.name ?? 'the script'} ended with exit code ${result.exitCode}${isFull ? `: no space is left in the guest on ${where}` : ''}`,
    ...(isFull && (full.length === 0 || full.includes('/')) ? fullHint : {}),
    detail: [`command: ${shellLine([...(script.interpreter ?? ['/bin/sh']), ...(script.args ?? [])])}`, ...lines],
  });
}

/** Where in a guest nothing can be written any more. */
async function fullPlaces(guest: BootedGuest): Promise<readonly string[]> {
  const text = 'df -P -k / /boot /var /tmp /run /home 2>/dev/null || :';
  return guest.exec({ text }).then(
    ({ stdout }) => fullIn(stdout),
    () => [],
  );
}

/** The places of file systems without a free block, from the output of df(1). */
export function fullIn(text: string): readonly string[] {
  const places = text.split('\n').flatMap((line) => {
    const [, available, place] = /^\S.*\s(\d+)\s+\d+%\s+(\/.*)$/.exec(line) ?? [];
    return place !== undefined && Number(available) === 0 ? [place] : [];
  });
  return [...new Set(places)];
}
