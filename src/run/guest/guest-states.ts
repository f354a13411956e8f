import { basename, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import type { ImageSpec } from '../../core/spec.ts';
import type { Machine } from '../../qemu/machine.ts';
import { dropState, findState, keepState, type SavedState, type StateId, stateFile } from '../../store/states.ts';
import type { Workshop } from '../workshop.ts';
import type { BootedGuest, GuestState } from './boot-guest.ts';
import { loginFiles, type OpenBench } from './guest-bench.ts';

type Resting = {
  readonly key: string;
  /** The id of the layer that its disk becomes. */
  readonly disk: string;
  readonly guest: BootedGuest;
  readonly bench: OpenBench;
  readonly machine: Machine;
  readonly running: Running;
};

/** How a guest was booted: what it goes on as. */
export type Running = Pick<SavedState, 'kernel' | 'direct'>;

/** Saved states of one image's guests: those at its last two layers are kept. */
export class GuestStates {
  readonly #workshop: Workshop;
  readonly #spec: ImageSpec;
  readonly #wanted: boolean;
  #last: string | undefined;

  constructor(workshop: Workshop, spec: ImageSpec, wanted: boolean) {
    this.#workshop = workshop;
    this.#spec = spec;
    this.#wanted = wanted;
  }

  /** The state of a guest that rested on just this layer. */
  async find(
    layer: { readonly key: string; readonly id: string },
    ctx: Context,
  ): Promise<(GuestState & { readonly keys: string; readonly running: Running }) | undefined> {
    if (!this.#wanted) return undefined;
    const state = await findState(this.#workshop.paths, this.#id(layer.key), ctx.host.now());
    if (state?.disk !== layer.id) return undefined;
    // The next build may start here again.
    this.#last = layer.key;
    const { folder, shape, disk: _, ...running } = state;
    const vars = join(folder, 'vars.fd');
    const hasVars = (await ctx.host.files.stat(vars)) !== undefined;
    return { file: stateFile(folder), shape, running, keys: join(folder, 'login'), ...(hasVars ? { vars } : {}) };
  }

  /** Save a guest at rest. Where that fails the next step boots, and nothing else is lost. */
  async save({ key, disk, guest, bench, machine, running }: Resting, ctx: Context): Promise<void> {
    if (!this.#wanted) return;
    const { files } = ctx.host;
    const folder = join(bench.scratch, `state-${key.slice(0, 16)}`);
    try {
      await files.makeDirectory(join(folder, 'login'), 0o700);
      await machine.saveState(stateFile(folder));
      for (const file of loginFiles(bench)) {
        await files.write(join(folder, 'login', basename(file)), await files.read(file), 0o600);
      }
      if (guest.vars !== undefined) await files.write(join(folder, 'vars.fd'), await files.read(guest.vars));
      const beside = this.#last === undefined ? [] : [this.#last];
      await keepState(this.#workshop.paths, this.#id(key), { folder, shape: guest.shape, disk, ...running }, beside);
      this.#last = key;
    } catch (error) {
      ctx.signal.throwIfAborted();
      await files.remove(folder).catch(() => undefined);
      ctx.emit({ type: 'log', id: ctx.step, line: `the guest's state could not be saved: ${String(error)}` });
    }
  }

  drop(key: string): Promise<void> {
    return dropState(this.#workshop.paths, this.#id(key));
  }

  #id(key: string): StateId {
    return { image: this.#spec.name, arch: this.#spec.arch, key };
  }
}
