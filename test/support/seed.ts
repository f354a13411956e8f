import { randomInt } from 'node:crypto';

/** Chance that can be had again: `INGOT_SEED=N` gives the same numbers. */
export type Chance = {
  readonly seed: number;
  /** From 0 up to, not including, 1. */
  next(): number;
};

/** The seed of this run, said aloud so that a failure can be had again. */
export function openChance(what: string): Chance {
  const given = process.env['INGOT_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  process.stdout.write(`${what}: INGOT_SEED=${seed}\n`);
  return chanceOf(seed);
}

/** Mulberry32: small, and the same everywhere. */
function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { seed, next };
}
