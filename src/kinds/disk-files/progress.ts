import type { Context } from '../../core/context.ts';

/** Tells how many of so many bytes are done, about a hundred times in all. */
export function progressOf(total: number, ctx: Context): (done: number) => void {
  let told = 0;
  return (done) => {
    if (done < total && done - told < total / 100) return;
    told = done;
    ctx.emit({ type: 'progress', id: ctx.step, done, total, unit: 'bytes' });
  };
}
