const text = 'text/plain; charset=utf-8';

/** By what a name ends in. There is no text/html: nothing that somebody published acts in the name of this server. */
const types: Readonly<Record<string, string>> = {
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  xz: 'application/x-xz',
  gz: 'application/gzip',
  zst: 'application/zstd',
  tar: 'application/x-tar',
  ova: 'application/x-tar',
  zip: 'application/zip',
  iso: 'application/vnd.efi.iso',
  svg: 'image/svg+xml',
  png: 'image/png',
  ...Object.fromEntries(
    ['txt', 'sha256', 'asc', 'pub', 'minisig', 'bmap', 'yaml', 'yml', 'cfg', 'ks', 'ipxe', 'toml', 'sh', 'md'].map(
      (ending) => [ending, text],
    ),
  ),
};

/** Files that are text and have no ending. */
const texts = new Set(['SHA256SUMS', 'user-data', 'meta-data', 'vendor-data', 'network-config']);

/** The media type of a file by its name. */
export function mediaType(name: string): string {
  if (texts.has(name)) return text;
  const ending = /\.([a-z0-9]+)$/.exec(name)?.[1] ?? '';
  return types[ending] ?? 'application/octet-stream';
}
