import type { Arch } from '../core/arch.ts';
import type { Kinds } from '../core/kinds.ts';
import type { ImageSpec } from '../core/spec.ts';

/** An image for one architecture, among those of one project and site. */
export function imageId(name: string, arch: Arch): string {
  return `${name} ${arch}`;
}

/** Names of the images that an image is made from. */
export function parentNames(spec: ImageSpec, kinds: Kinds): readonly string[] {
  return kinds.sources.get(spec.source.kind)?.parents?.(spec.source.options) ?? [];
}

/** Those of `all` that an image is made from. */
export function parentsOf(spec: ImageSpec, all: readonly ImageSpec[], kinds: Kinds): readonly ImageSpec[] {
  const names = parentNames(spec, kinds);
  return names.flatMap((name) => all.find((one) => one.name === name && one.arch === spec.arch) ?? []);
}

/** These images and all they are made from, in the order of `all`. */
export function withFamily(
  chosen: readonly ImageSpec[],
  all: readonly ImageSpec[],
  kinds: Kinds,
): readonly ImageSpec[] {
  const found = new Set<ImageSpec>();
  const add = (spec: ImageSpec): void => {
    if (found.has(spec)) return;
    found.add(spec);
    for (const parent of parentsOf(spec, all, kinds)) add(parent);
  };
  for (const spec of chosen) add(spec);
  return all.filter((spec) => found.has(spec));
}

/** The passes in which images can be built: no earlier than those they are made from, which stand before them. */
export function passesOf(specs: readonly ImageSpec[], kinds: Kinds): ReadonlyMap<ImageSpec, number> {
  const passes = new Map<ImageSpec, number>();
  for (const spec of specs) {
    const parents = parentsOf(spec, specs, kinds).map((parent) => passes.get(parent) ?? parent.pass);
    passes.set(spec, Math.max(spec.pass, ...parents));
  }
  return passes;
}
