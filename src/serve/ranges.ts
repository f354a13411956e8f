/** The bytes from `first` to `last`. `none`: no byte of what was asked for is there. */
export type Part = { readonly first: number; readonly last: number };

/**
 * What a Range header asks of so many bytes (RFC 9110, 14.2). Undefined: everything, which also is the answer to several
 * ranges and to units other than bytes. What is malformed counts as not satisfiable, as it does for nginx.
 */
export function readRange(header: string | undefined, bytes: number): Part | 'none' | undefined {
  const [, set] = /^bytes\s*=(.*)$/i.exec(header ?? '') ?? [];
  if (set === undefined || set === '') return undefined;
  const parts: Part[] = [];
  for (const text of set.split(',')) {
    const [, from = '', to = ''] = /^\s*(\d*)\s*-\s*(\d*)\s*$/.exec(text) ?? [];
    if (from === '' && to === '') return 'none';
    const part = from === '' ? lastBytes(Number(to), bytes) : { first: Number(from), last: lastOf(to, bytes) };
    if (from !== '' && to !== '' && Number(to) < Number(from)) return 'none';
    if (part.first <= part.last && part.first < bytes) parts.push(part);
    if (parts.length > 1) return undefined;
  }
  if (bytes === 0) return undefined;
  return parts[0] ?? 'none';
}

function lastBytes(count: number, bytes: number): Part {
  return count === 0 ? { first: bytes, last: bytes } : { first: Math.max(0, bytes - count), last: bytes - 1 };
}

function lastOf(to: string, bytes: number): number {
  return to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
}
