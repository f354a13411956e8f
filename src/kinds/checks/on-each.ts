import { IngotError } from '../../core/errors.ts';
import type { RunResult } from '../../core/host.ts';
import type { CheckGuest } from '../../core/kinds.ts';

/** Ask every guest at once; the first failure says under which firmware, unless there is but one guest. */
export async function onEach<T>(
  guests: readonly CheckGuest[],
  ask: (guest: CheckGuest) => Promise<T>,
): Promise<readonly T[]> {
  const asked = guests.map(async (guest) => {
    try {
      return await ask(guest);
    } catch (error) {
      throw guests.length > 1 && error instanceof IngotError ? under(guest, error) : error;
    }
  });
  // All come to their end before the check does.
  await Promise.allSettled(asked);
  return Promise.all(asked);
}

function under({ firmware }: CheckGuest, { code, message, hint, detail, cause }: IngotError): IngotError {
  const place = ` (under ${firmware === 'bios' ? 'BIOS' : 'UEFI'})`;
  const shown = message.endsWith(place) ? message : `${message}${place}`;
  return new IngotError({ code, message: shown, detail, cause, ...(hint === undefined ? {} : { hint }) });
}

/** `under BIOS and UEFI`. */
export function underAll(guests: readonly Pick<CheckGuest, 'firmware'>[]): string {
  return `under ${guests.map(({ firmware }) => (firmware === 'bios' ? 'BIOS' : 'UEFI')).join(' and ')}`;
}

/** A check's own failure. */
export function checkFailed(message: string, detail: readonly string[] = []): IngotError {
  return new IngotError({ code: 'CHECK_FAILED', message, detail });
}

/** The last lines of what a command printed. */
export function lastLines({ stdout, stderr }: Pick<RunResult, 'stdout' | 'stderr'>, count = 20): readonly string[] {
  return `${stdout}\n${stderr}`
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count);
}
