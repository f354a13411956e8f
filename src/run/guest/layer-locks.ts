import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { withLock } from '../../host/lock.ts';
import type { StorePaths } from '../../store/paths.ts';

/**
 * The lock of the layer that is being made. The next one is taken before it is given back, so that of two builds with
 * the same first steps one makes their layers and the other waits and uses them.
 */
export class LayerLocks {
  readonly #paths: StorePaths;
  #held: { readonly key: string; readonly release: () => void } | undefined;

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  /** Hold this one instead of the last. */
  async hold(key: string, ctx: Context): Promise<void> {
    if (this.#held?.key === key) return;
    const taken = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const onWait = () => {
      ctx.emit({ type: 'log', id: ctx.step, line: 'another build makes this layer: waiting for it' });
    };
    const lock = join(this.#paths.locks, `layer-${key}.lock`);
    withLock(lock, { signal: ctx.signal, onWait }, async () => {
      taken.resolve();
      await end.promise;
    }).catch(taken.reject);
    await taken.promise;
    this.release();
    this.#held = { key, release: end.resolve };
  }

  release(): void {
    this.#held?.release();
    this.#held = undefined;
  }
}
