import { type Arch, arches } from '../core/arch.ts';
import { refusedPath } from './compose.ts';
import type { Document } from './document.ts';
import type { MapNode, Node, Spot } from './node.ts';
import type { Problems } from './problems.ts';
import { readPins } from './values.ts';

export type DigestField = 'sha256' | 'sha512';

/** A pin of `versions.yaml` as far as it can be followed: once, or for each architecture that has a digest of its own. */
export type WrittenPin = {
  readonly name: string;
  readonly arch?: Arch;
  /** Absent: the pin says nowhere what is newest, so it stays as it is. */
  readonly followed?: FollowedPin;
};

export type FollowedPin = {
  readonly url: string;
  /** A list of checksums; `sidecar`: the one beside the file. */
  readonly sums: string;
  readonly signature?: string;
  readonly keyring?: string;
  /** The digest as it is written, and its path in the file. */
  readonly field: DigestField;
  readonly hex: string;
  readonly path: readonly string[];
};

/** The pins of `versions.yaml`. One with `sums` (and `signature`, `keyring`) is followed; it needs `url` and a digest. */
export function writtenPins(document: Document, problems: Problems): readonly WrittenPin[] {
  readPins(document, problems);
  const { root } = document.content();
  const pins = root?.type === 'map' ? root.entries.get('pins')?.value : undefined;
  if (pins?.type !== 'map') return [];
  return [...pins.entries].flatMap(([name, { key, value }]) => {
    if (value.type !== 'map') return [{ name }];
    const levels = levelsOf(value).map((level) => readLevel(name, level, { above: key, problems }));
    const found = levels.filter((one) => one !== undefined);
    return found.length === 0 ? [{ name }] : found;
  });
}

/** What is written for all architectures, or for one above that. */
type Level = { readonly arch?: Arch; readonly own: MapNode; readonly common: MapNode };

function levelsOf(common: MapNode): readonly Level[] {
  const special = arches.flatMap((arch) => {
    const own = common.entries.get(arch)?.value;
    return own?.type === 'map' ? [{ arch, own, common }] : [];
  });
  return [{ own: common, common }, ...special];
}

function readLevel(
  name: string,
  { arch, own, common }: Level,
  { above, problems }: { readonly above: Spot; readonly problems: Problems },
): WrittenPin | undefined {
  const named = { name, ...(arch === undefined ? {} : { arch }) };
  const value = (key: string) => textOf(own.entries.get(key)?.value) ?? textOf(common.entries.get(key)?.value);
  const field = (['sha256', 'sha512'] as const).find((one) => own.entries.has(one));
  const [url, sums, signature, keyring] = [value('url'), value('sums'), value('signature'), value('keyring')];
  if (field === undefined) {
    const isAlone = arch === undefined && !arches.some((one) => common.entries.has(one));
    if (sums !== undefined && isAlone) problems.at(above, `${name}: expected sha256 or sha512 beside sums`, emptyHint);
    return undefined;
  }
  if (sums === undefined) return named;
  const told = (message: string, hint?: string) => {
    problems.at(above, `${name}: ${message}`, hint);
    return undefined;
  };
  if (url === undefined) return told('expected url beside sums');
  if (signature !== undefined && keyring === undefined) {
    return told('a signature needs keyring: a file of the project with the keys that may sign');
  }
  const outside = keyring === undefined ? undefined : refusedPath(keyring);
  if (outside !== undefined) return told(outside);
  const keys = {
    ...(signature === undefined ? {} : { signature }),
    ...(keyring === undefined ? {} : { keyring }),
  };
  const path = ['pins', name, ...(arch === undefined ? [] : [arch]), field];
  const hex = textOf(own.entries.get(field)?.value) ?? '';
  return { ...named, followed: { url, sums, ...keys, field, hex, path } };
}

const emptyHint = 'write `sha256: ""`; `ingot pins update` fills it in';

function textOf(node: Node | undefined): string | undefined {
  return node?.type === 'scalar' && node.value !== null ? node.text : undefined;
}
