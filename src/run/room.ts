import { dirname } from 'node:path';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import { isNoSpace, withRoom } from '../core/space.ts';

/** Less than this is left by a program that failed for want of room. */
const nothingLeft = 65_536;

/** `withRoom` for programs, which do not always say why they failed: where hardly anything is left, that was why. */
export async function withRoomForTools<T>(
  path: string,
  needed: () => Promise<number>,
  action: () => Promise<T>,
  ctx: Context,
): Promise<T> {
  return withRoom(path, needed, async () => {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof IngotError) || error.code !== 'TOOL_FAILED' || isNoSpace(error)) throw error;
      const free = await ctx.host.files.freeBytes(dirname(path)).catch(() => nothingLeft);
      if (free >= nothingLeft) throw error;
      throw new IngotError({ code: 'NO_SPACE', message: error.message, detail: error.detail, cause: error });
    }
  });
}
