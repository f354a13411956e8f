/** Lists of checksums that vendors put into their ISOs, by path. */
export const md5Lists: readonly string[] = ['md5sum.txt', 'md5sums', 'MD5SUMS'];

/**
 * A list as md5sum(1) writes it, with other sums: `undefined` takes a file off the list, because its bytes are not known yet.
 * New files are listed at the end.
 */
export function updateMd5sums(text: string, sums: ReadonlyMap<string, string | undefined>): string {
  const listed = new Set<string>();
  const lines = text.split('\n').flatMap((line) => {
    const [, gap, written = ''] = /^[0-9a-f]{32}( [ *])(.*)$/.exec(line) ?? [];
    const path = written.replace(/^\.?\//, '');
    if (gap === undefined || !sums.has(path)) return [line];
    listed.add(path);
    const sum = sums.get(path);
    return sum === undefined ? [] : [`${sum}${gap}${written}`];
  });
  const fresh = [...sums].filter(([path, sum]) => sum !== undefined && !listed.has(path));
  const added = fresh.sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, sum]) => `${sum}  ./${path}`);
  const end = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  return `${[...lines.slice(0, end), ...added].join('\n')}\n`;
}
