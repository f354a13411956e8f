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
  const same = new Map(pairs(now, before, (a, b) => sameKind(a, b) && canonical(a.inputs) === canonical(b.inputs)));
  const old: (HistoryStep | undefined)[] = [];
  const used = new Set<HistoryStep>();
  let from = { now: 0, before: 0 };
  for (const [i, j] of [...same, [now.length, before.length] as const]) {
    const gap = pairs(now.slice(from.now, i), before.slice(from.before, j), sameKind);
    const found = new Map(gap.map(([a, b]) => [a + from.now, before[b + from.before]]));
    for (let at = from.now; at < i; at++) old[at] = found.get(at);
    if (i < now.length) old[i] = before[j];
    from = { now: i + 1, before: j + 1 };
  }
  for (const step of old) if (step !== undefined) used.add(step);
  return { old, gone: before.filter((step) => !used.has(step)) };
}

function sameKind(a: Now, b: HistoryStep): boolean {
  return kindOf(a.id) === kindOf(b.id);
}

function kindOf(id: string): string {
  return id.replace(/^\d+-/, '');
}

/** The longest common subsequence of two lists, as pairs of positions. */
function pairs<A, B>(a: readonly A[], b: readonly B[], equal: (x: A, y: B) => boolean): [number, number][] {
  const equals = a.map((x) => b.map((y) => equal(x, y)));
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const length = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    const row = lengths[i] ?? [];
    for (let j = b.length - 1; j >= 0; j--) {
      row[j] = equals[i]?.[j] === true ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const found: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (equals[i]?.[j] === true) found.push([i++, j++]);
    else if (length(i + 1, j) >= length(i, j + 1)) i++;
    else j++;
  }
  return found;
}
