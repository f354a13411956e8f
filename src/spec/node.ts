import type { Place } from '../core/errors.ts';
import type { Json } from '../core/keys.ts';

/** The text of a spec file, with the offset at which each line starts. */
export type SourceText = { readonly file: string; readonly text: string; readonly lineStarts: readonly number[] };

/** A point in a file; becomes a Place when somebody asks. */
export type Spot = { readonly source: SourceText; readonly offset: number };

export type Scalar = null | boolean | number | string;

/** YAML as plain data that still knows where each value and key was written. */
export type Node = ScalarNode | ListNode | MapNode;
export type ScalarNode = {
  readonly type: 'scalar';
  readonly value: Scalar;
  /** As a person wrote it: the number `1.10` keeps its last digit. */
  readonly text: string;
  readonly spot: Spot;
};
export type ListNode = { readonly type: 'list'; readonly items: readonly Node[]; readonly spot: Spot };
export type MapNode = { readonly type: 'map'; readonly entries: ReadonlyMap<string, Entry>; readonly spot: Spot };
export type Entry = { readonly key: Spot; readonly value: Node };

export type Path = readonly PropertyKey[];

const longestSourceLine = 4096;

/** A text with its lines found. */
export function sourceText(file: string, text: string): SourceText {
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  return { file, text, lineStarts };
}

/** Line, column and source line of a spot. */
export function placeOf({ source, offset }: Spot): Place {
  const line = lineAt(source.lineStarts, offset);
  const start = source.lineStarts[line] ?? 0;
  const end = source.lineStarts[line + 1] ?? source.text.length + 1;
  const place = { file: source.file, line: line + 1, column: offset - start + 1 };
  if (end - start > longestSourceLine) return place;
  return { ...place, source: source.text.slice(start, end - 1).replace(/\r$/, '') };
}

/** The value as plain data; keys that could reach a prototype were refused when the file was read. */
export function plain(node: Node): Json {
  if (node.type === 'scalar') return node.value;
  if (node.type === 'list') return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plain(entry.value)]));
}

/**
 * Where a problem with the value at `path` is shown: the value itself if it is one word, else the key above it.
 * A path that leads nowhere ends at the last thing that is there.
 */
export function spotAt(node: Node, path: Path, options: { readonly key?: boolean; readonly above?: Spot } = {}): Spot {
  let above = options.above ?? node.spot;
  let here = node;
  let whole = true;
  for (const part of path) {
    const entry = childOf(here, part);
    if (entry === undefined) {
      whole = false;
      break;
    }
    above = entry.key;
    here = entry.value;
  }
  const oneWord = here.type === 'scalar' && here.text !== '';
  return oneWord && whole && options.key !== true ? here.spot : above;
}

/** The first scalar below `node` with exactly this text. */
export function findScalar(node: Node, text: string): ScalarNode | undefined {
  if (node.type === 'scalar') return node.value === text ? node : undefined;
  const values = node.type === 'list' ? node.items : [...node.entries.values()].map((entry) => entry.value);
  for (const value of values) {
    const found = findScalar(value, text);
    if (found !== undefined) return found;
  }
  return undefined;
}

function childOf(node: Node, part: PropertyKey): Entry | undefined {
  if (node.type === 'map') return node.entries.get(String(part));
  if (node.type !== 'list') return undefined;
  const item = node.items[Number(part)];
  return item === undefined ? undefined : { key: item.spot, value: item };
}

function lineAt(lineStarts: readonly number[], offset: number): number {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
