import { canonical } from '../core/keys.ts';
import type { HistoryStep, Inputs } from '../core/plan.ts';

export type Now = { readonly id: string; readonly inputs: Inputs };

/** For each step of now the one of the earlier build that it continues, and the earlier ones that are gone. */
export type Match = {
  readonly old: readonly (HistoryStep | undefined)[];
  readonly gone: readonly HistoryStep[];
};

/**
 * Match steps to those of an earlier build though positions moved: first the longest common run of unchanged steps,
 * then, between two of those, steps of one kind in their order.
 */
export function matchSteps(now: readonly Now[], before: readonly HistoryStep[]): Match {
  const same = pairs(now.map(wordsOf), before.map(wordsOf));
  const old: (HistoryStep | undefined)[] = [];
  const used = new Set<HistoryStep>();
  let from = { now: 0, before: 0 };
  for (const [i, j] of [...same, [now.length, before.length] as const]) {
    const gap = pairs(now.slice(from.now, i).map(kindOf), before.slice(from.before, j).map(kindOf));
    const found = new Map(gap.map(([a, b]) => [a + from.now, before[b + from.before]]));
    for (let at = from.now; at < i; at++) old[at] = found.get(at);
    if (i < now.length) old[i] = before[j];
    from = { now: i + 1, before: j + 1 };
  }
  for (const step of old) if (step !== undefined) used.add(step);
  return { old, gone: before.filter((step) => !used.has(step)) };
}

function wordsOf(step: Now): string {
  return `${kindOf(step)} ${canonical(step.inputs)}`;
}

function kindOf({ id }: Now): string {
  return id.replace(/^\d+-/, '');
}

/** The longest common subsequence of two lists, as pairs of positions. */
function pairs(a: readonly string[], b: readonly string[]): [number, number][] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const length = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= start; i--) {
    const row = lengths[i] ?? [];
    for (let j = b.length - 1; j >= start; j--) {
      row[j] = a[i] === b[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const found = Array.from({ length: start }, (_, i): [number, number] => [i, i]);
  for (let i = start, j = start; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) found.push([i++, j++]);
    else if (length(i + 1, j) >= length(i, j + 1)) i++;
    else j++;
  }
  return found;
}
