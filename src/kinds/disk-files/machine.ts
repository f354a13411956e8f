import { z } from 'zod';
import { IngotError } from '../../core/errors.ts';
import type { ImageFacts } from '../../core/kinds.ts';
import { type Firmware, firmwares } from '../../core/spec.ts';

/** What formats that describe a whole machine ask for. */
export const machineFields = {
  memory: z
    .string()
    .regex(/^[1-9][0-9]{0,6}[MG]$/, 'expected a size such as 2G or 512M')
    .default('2G')
    .describe('Of the machine that is described.'),
  cpus: z.int().min(1).max(512).default(2),
  firmware: z
    .enum(firmwares)
    .optional()
    .describe('Default: bios where the image boots with it, which more programs import, else uefi.'),
};

export type MachineOptions = {
  readonly memory: string;
  readonly cpus: number;
  readonly firmware?: Firmware | undefined;
};

export function memoryMiB(memory: string): number {
  return Number(memory.slice(0, -1)) * (memory.endsWith('G') ? 1024 : 1);
}

/** The firmware of the described machine; one that the image does not boot under is refused. */
export function firmwareOf({ firmware }: MachineOptions, image: ImageFacts): Firmware {
  const chosen = firmware ?? (image.firmware.includes('bios') ? 'bios' : 'uefi');
  if (image.firmware.includes(chosen)) return chosen;
  throw new IngotError({
    code: 'SPEC_INVALID',
    message: `the format asks for ${chosen}, which ${image.name} does not boot under`,
    hint: `it boots under ${image.firmware.join(' and ')}`,
  });
}
