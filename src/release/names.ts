import type { Arch } from '../core/arch.ts';

/** What a release holds assets of. */
export type Subject = { readonly image: string; readonly arch: Arch };

/** How the names of all assets of an image begin: `debian-13-x86_64`. */
export function stemOf({ image, arch }: Subject): string {
  return `${image}-${arch}`;
}

/**
 * The name of a build's file as an asset: `debian-13-x86_64.qcow2`. Names in a release are flat, and GitHub itself
 * changes any character that is not a letter, a digit, `.`, `_` or `-`.
 */
export function assetName(subject: Subject, file: string): string {
  const { image } = subject;
  const own = file.startsWith(`${image}.`) ? file.slice(image.length) : `.${file.replace(/^\./, '')}`;
  return `${stemOf(subject)}${own.replaceAll(/[^A-Za-z0-9._-]/g, '.')}`;
}

/** The list of what a release holds of an image; who reads it knows all other names. */
export function entryName(subject: Subject): string {
  return `${stemOf(subject)}.release.json`;
}

export function sumsName(subject: Subject): string {
  return `${stemOf(subject)}.SHA256SUMS`;
}

export function scriptName(subject: Subject): string {
  return `${stemOf(subject)}.assemble.sh`;
}

/** Under which an asset of a published release is uploaded, until all of its image are there. */
export function comingName(name: string, sha256: string): string {
  return `${name}.new-${sha256.slice(0, 12)}`;
}

/** What an asset is called while its successor takes its name; `id` is GitHub's. */
export function goingName(name: string, id: number): string {
  return `${name}.old-${id}`;
}

/** The name that a coming or going asset is to have, or had; any other name as it is. */
export function settledName(name: string): { readonly name: string; readonly state: 'settled' | 'coming' | 'going' } {
  const [, base, state] = /^(.+)\.(new-[0-9a-f]{12}|old-\d+)$/.exec(name) ?? [];
  if (base === undefined || state === undefined) return { name, state: 'settled' };
  return { name: base, state: state.startsWith('new') ? 'coming' : 'going' };
}

/** The name without the number of a part. */
export function wholeName(name: string): string {
  return name.replace(/\.part\d{2,}$/, '');
}
