import type { Arch } from '../core/arch.ts';
import type { Kinds } from '../core/kinds.ts';
import type { Expanded } from './expand.ts';
import { suggestion } from './nearest.ts';
import type { Problems } from './problems.ts';
import { show } from './words.ts';

type Known = {
  readonly names: readonly string[];
  readonly arches: ReadonlyMap<string, readonly Arch[]>;
  readonly kinds: Kinds;
  readonly problems: Problems;
};

/** Tell of images whose source names an image that is not there, not made for their architecture, or made from them. */
export function checkParents(images: readonly Expanded[], known: Known): void {
  const byId = new Map(images.map((image) => [idOf(image), image]));
  const done = new Set<string>();
  for (const image of images) visit(image, []);

  function visit(image: Expanded, chain: readonly string[]): void {
    const id = idOf(image);
    if (done.has(id)) return;
    const here = [...chain, image.name];
    for (const { name, spot } of image.parents) {
      const parent = byId.get(`${name} ${image.arch}`);
      if (here.includes(name)) {
        const circle = [...here.slice(here.indexOf(name)), name].join(' -> ');
        known.problems.at(spot, `images are made from each other in a circle: ${circle}`);
      } else if (parent !== undefined) {
        checkFormats(parent, spot, known);
        visit(parent, here);
      } else checkParent(name, image.arch, spot, known);
    }
    done.add(id);
  }
}

/** Sorted by pass, then name, then architecture, except that an image stands behind those it is made from. */
export function inOrder(images: readonly Expanded[]): readonly Expanded[] {
  const byId = new Map(images.map((image) => [idOf(image), image]));
  const sorted = [...images].sort((a, b) => {
    return passOf(a) - passOf(b) || compare(a.name, b.name) || compare(a.arch, b.arch);
  });
  const ordered = new Set<Expanded>();
  const add = (image: Expanded, chain: readonly Expanded[]): void => {
    if (ordered.has(image) || chain.includes(image)) return;
    for (const { name } of image.parents) {
      const parent = byId.get(`${name} ${image.arch}`);
      if (parent !== undefined) add(parent, [...chain, image]);
    }
    ordered.add(image);
  };
  for (const image of sorted) add(image, []);
  return [...ordered];
}

/** These images and all they are made from. */
export function withParents(chosen: readonly Expanded[], all: readonly Expanded[]): readonly Expanded[] {
  const byId = new Map(all.map((image) => [idOf(image), image]));
  const found = new Set<Expanded>();
  const add = (image: Expanded): void => {
    if (found.has(image)) return;
    found.add(image);
    for (const { name } of image.parents) {
      const parent = byId.get(`${name} ${image.arch}`);
      if (parent !== undefined) add(parent);
    }
  };
  for (const image of chosen) add(image);
  return [...found];
}

function checkParent(name: string, arch: Arch, spot: Expanded['parents'][number]['spot'], known: Known): void {
  const { names, arches, problems } = known;
  if (!names.includes(name)) problems.at(spot, `there is no image ${show(name)}`, suggestion(name, names, 'images'));
  const made = arches.get(name);
  // An image that has problems of its own is told of there.
  if (made !== undefined && !made.includes(arch))
    problems.at(spot, `image ${show(name)} is not made for ${arch}`, `it is made for: ${made.join(', ')}`);
}

function checkFormats({ name, spec }: Expanded, spot: Expanded['parents'][number]['spot'], known: Known): void {
  const isDisk = spec?.formats.some(({ kind, options }) => {
    const format = known.kinds.formats.get(kind);
    const boots = format?.boots(options);
    return (boots !== undefined && boots !== 'iso') || format?.unpack !== undefined;
  });
  if (isDisk === false) {
    const message = `no format of image ${show(name)} holds a disk that another image can start from`;
    known.problems.at(spot, message, `add qcow2 to its formats`);
  }
}

function idOf({ name, arch }: Expanded): string {
  return `${name} ${arch}`;
}

function passOf({ spec }: Expanded): number {
  return spec?.pass ?? 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
