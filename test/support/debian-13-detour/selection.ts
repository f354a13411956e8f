import { nameOf, namesOf, needsOf, type Stanza } from './stanzas.ts';

/** An index without the modules of other kernels, which could be taken for those of this one. */
export function ofKernel(index: readonly Stanza[], kernel: string): readonly Stanza[] {
  return index.filter((stanza) => [undefined, kernel].includes(stanza.get('Kernel-Version')));
}

/** What the installer fetches of an index: what is standard, and what that needs in turn (anna(8)). */
export function fetchedOf(index: readonly Stanza[], installed: readonly string[]): readonly Stanza[] {
  const fitting = index.filter((stanza) => !installed.includes(nameOf(stanza)));
  const fetched = new Set(fitting.filter((stanza) => /^(standard|required)$/.test(stanza.get('Priority') ?? '')));
  for (const stanza of fetched) {
    const wanted = needsOf(stanza).flat();
    for (const other of fitting) if (namesOf(other).some((name) => wanted.includes(name))) fetched.add(other);
  }
  return [...fetched];
}

/**
 * The index without what is missing, and without what cannot do without that. `dispensable`: what nobody misses where it
 * is missing.
 */
export function without(
  index: readonly Stanza[],
  missing: ReadonlySet<string>,
  dispensable: readonly string[],
): readonly Stanza[] {
  let kept = index.filter((stanza) => !missing.has(nameOf(stanza)));
  for (;;) {
    const gone = new Set(index.filter((stanza) => !kept.includes(stanza)).flatMap(namesOf));
    const there = new Set([...kept.flatMap(namesOf), ...dispensable]);
    const whole = (stanza: Stanza) =>
      needsOf(stanza).every((either) => either.some((name) => there.has(name) || !gone.has(name)));
    const left = kept.filter(whole);
    if (left.length === kept.length) return left;
    kept = left;
  }
}
