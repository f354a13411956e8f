import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/errors.ts';
import { within } from '../../core/within.ts';
import type { Channel } from '../../guest/channel.ts';
import { cannotRest, goOn, restScript, restWords } from '../../guest/rest.ts';
import type { Machine } from '../../qemu/machine.ts';
import type { BootedGuest } from './boot-guest.ts';

const freezeMs = 60_000;
const thawMs = 20_000;
const entropyBytes = 64;

/**
 * Bring a guest to rest, do something while its disk does not change, and let it go on. `first` runs before, in the
 * same script; what it printed is given back. Undefined, with nothing done, when this guest cannot rest.
 */
export async function atRest(
  guest: BootedGuest,
  channel: Channel,
  ctx: Context,
  { first, action }: { readonly first: string; readonly action: (machine: Machine) => Promise<void> },
): Promise<string | undefined> {
  const quiet = new AbortController();
  const script = guest.run({ ...restScript, text: `${first}${restScript.text}` }, {});
  script.catch(() => undefined);
  const outcome = await within(freezeMs * guest.stretch, ctx, (signal) => {
    const ends = AbortSignal.any([signal, quiet.signal, guest.lost]);
    return Promise.race([
      channel.heard(restWords.frozen, ends).then(() => 'frozen' as const),
      script.then(({ exitCode }) => exitCode),
    ]);
  });
  quiet.abort();
  if (outcome === cannotRest) return undefined;
  if (outcome !== 'frozen') {
    const message = 'the file systems of the guest could not be frozen';
    throw await guest.explain(new IngotError({ code: 'STEP_FAILED', message }));
  }
  const machine = guest.machine();
  try {
    await guest.pause();
    try {
      await action(machine);
    } finally {
      await guest.resume();
    }
    await wake(machine, channel, ctx, guest.stretch);
    return (await script).stdout;
  } catch (error) {
    throw await guest.explain(error);
  }
}

/** End a guest's rest: with today's time and entropy of its own, its file systems thawed. */
export async function wake(machine: Machine, channel: Channel, ctx: Context, stretch: number): Promise<void> {
  const thawed = await within(thawMs * stretch, ctx, async (signal) => {
    const heard = channel.heard(restWords.thawed, signal);
    machine.say(goOn(ctx.host.now(), ctx.host.randomBytes(entropyBytes)));
    await heard;
    return true;
  });
  if (thawed !== true) throw new IngotError({ code: 'TIMEOUT', message: 'the guest did not go on after its rest' });
}
