import { IngotError } from './errors.ts';

/** Where something is written: a path on a disk, or words for what lies in memory. */
export type Place = string | { readonly inMemory: string };

/** No room where something was to be written: the one error for it, whoever noticed. */
export class NoSpaceError extends IngotError {
  /** How many bytes what was to be written takes. */
  readonly bytes: number;

  constructor(place: Place, bytes: number, fields: { readonly detail?: readonly string[]; readonly cause?: unknown }) {
    super({
      code: 'NO_SPACE',
      ...(typeof place === 'string' ? diskIsFull(place, bytes) : memoryIsFull(place, bytes)),
      ...fields,
    });
    this.bytes = bytes;
  }
}

function diskIsFull(path: string, bytes: number) {
  return {
    message: `no space left for ${path}: ${bytes} bytes needed`,
    hint: 'free some space (`ingot gc` removes what can be made again) and run the same command',
  };
}

/** `bytes` are there already: how many were still to come is not known. */
function memoryIsFull({ inMemory }: { readonly inMemory: string }, bytes: number) {
  return {
    message: `no memory left for ${inMemory}: more than ${bytes} bytes needed`,
    hint: 'they may take three quarters of the free memory: end other programs, take a machine with more, or make the image smaller; disk space is not short',
  };
}

/** Whether something failed because a disk, or a user's share of it, is full. */
export function isNoSpace(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'NO_SPACE' || error.code === 'ENOSPC' || error.code === 'EDQUOT';
}

/**
 * Do something that writes to `place`; where that turns out to be full, the error says how many bytes it takes. `needed`
 * is asked only then. The smallest thing takes a block.
 */
export async function withRoom<T>(
  place: Place,
  needed: number | (() => Promise<number>),
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!isNoSpace(error) || error instanceof NoSpaceError) throw error;
    const bytes = typeof needed === 'number' ? needed : await needed().catch(() => 0);
    const detail = error instanceof IngotError ? { detail: [error.message, ...error.detail] } : {};
    throw new NoSpaceError(place, Math.max(bytes, blockBytes), { ...detail, cause: error });
  }
}

const blockBytes = 4096;
