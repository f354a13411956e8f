import { isDeepStrictEqual } from 'node:util';
import { isScalar, parseDocument, stringify } from 'yaml';

/** A value in a spec file and what it is to be. */
export type NewValue = { readonly path: readonly string[]; readonly value: string };

/**
 * Write other values in the place of some in a spec file. Every other byte stays as it is: comments, order, spaces.
 * Undefined where one of them is not written in a way that can be replaced, such as an alias or what one
 * stands for.
 */
export function setValues(text: string, values: readonly NewValue[]): string | undefined {
  const document = parseDocument(text, { logLevel: 'silent' });
  if (document.errors.length > 0) return undefined;
  const places = values.map(({ path, value }) => {
    const node: unknown = document.getIn(path, true);
    const [start, end] = (isScalar(node) && node.anchor === undefined ? node.range : undefined) ?? [];
    return start === undefined || end === undefined ? undefined : { start, end, value };
  });
  if (!places.every((place) => place !== undefined)) return undefined;
  let changed = text;
  for (const { start, end, value } of places.toSorted((a, b) => b.start - a.start)) {
    const old = changed.slice(start, end);
    changed = changed.slice(0, start) + written(value, old) + changed.slice(end);
  }
  for (const { path, value } of values) document.setIn(path, value);
  // Proof that nothing else changed.
  const now = parseDocument(changed, { logLevel: 'silent' });
  return now.errors.length === 0 && isDeepStrictEqual(now.toJS(), document.toJS()) ? changed : undefined;
}

/** In the same quotes as before, where they do. */
function written(value: string, old: string): string {
  const isPlainWord = /^[\w.:/-]*$/.test(value);
  if (isPlainWord && /^(["']).*\1$/s.test(old)) return `${old[0]}${value}${old[0]}`;
  return stringify(value, { lineWidth: 0 }).trimEnd();
}
