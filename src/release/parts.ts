/** GitHub takes assets of less than 2 GiB. */
export const usualPartBytes = 1900 * 1024 ** 2;

export type Part = { readonly name: string; readonly offset: number; readonly bytes: number };

/** A file as one asset, or, where it is larger than that, as parts in order: `x.part00`, `x.part01`, ... */
export function partsOf(name: string, bytes: number, partBytes: number): readonly Part[] {
  if (bytes <= partBytes) return [{ name, offset: 0, bytes }];
  const count = Math.ceil(bytes / partBytes);
  const digits = Math.max(2, String(count - 1).length);
  return Array.from({ length: count }, (_, index) => ({
    name: `${name}.part${String(index).padStart(digits, '0')}`,
    offset: index * partBytes,
    bytes: Math.min(partBytes, bytes - index * partBytes),
  }));
}
