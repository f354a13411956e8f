import { sumsFile } from '../store/served-names.ts';
import type { ServedEntry } from '../store/served-tree.ts';
import { pathOf } from './address.ts';

/** A folder for programs: what nginx's `autoindex_format json` gives, and digests. */
export function listingJson(entries: readonly ServedEntry[]): string {
  const rows = entries.map(({ name, type, modifiedMs, bytes, sha256 }) => ({
    name,
    type,
    mtime: new Date(modifiedMs).toUTCString(),
    ...(bytes === undefined ? {} : { size: bytes }),
    ...(sha256 === undefined ? {} : { sha256 }),
  }));
  return `${JSON.stringify(rows, undefined, 2)}\n`;
}

/** A folder for people. */
export function listingPage(names: readonly string[], entries: readonly ServedEntry[]): string {
  const here = pathOf(names, true);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(here)} · Ingot</title>
<style>${style}</style>
<h1>${trail(names)}</h1>
<main>
${entries.length === 0 ? '<p>Nothing here yet. <code>ingot build</code> puts images here, <code>ingot publish</code> other files.</p>' : table(entries)}
</main>
<footer>${footer(names, entries)}</footer>
</html>
`;
}

function footer(names: readonly string[], entries: readonly ServedEntry[]): string {
  if (entries.some(({ name }) => name === sumsFile)) {
    return `<code>sha256sum -c ${sumsFile}</code> checks what was fetched from this folder.`;
  }
  return names.length === 0 ? 'Programs find everything in <a href="index.json">index.json</a>.' : '';
}

function trail(names: readonly string[]): string {
  const steps = names.map((name, index) => {
    const isHere = index === names.length - 1;
    return isHere ? escaped(name) : `<a href="${pathOf(names.slice(0, index + 1), true)}">${escaped(name)}</a>`;
  });
  return [names.length === 0 ? 'Artifacts' : '<a href="/">Artifacts</a>', ...steps].join(' <i>/</i> ');
}

function table(entries: readonly ServedEntry[]): string {
  const head = '<thead><tr><th>Name<th>Size<th>Changed (UTC)</thead>';
  return `<table>${head}<tbody>\n${entries.map(row).join('\n')}\n</tbody></table>`;
}

function row({ name, type, modifiedMs, bytes, sha256 }: ServedEntry): string {
  const slash = type === 'directory' ? '/' : '';
  const digest = sha256 === undefined ? '' : `<small title="SHA-256">${sha256}</small>`;
  const [day = '', time = ''] = new Date(modifiedMs).toISOString().split(/[T.]/);
  const link = `<a href="${encodeURIComponent(name)}${slash}">${escaped(name)}${slash}</a>`;
  return `<tr><td>${link}${digest}<td>${bytes === undefined ? '' : sizeText(bytes)}<td><time datetime="${day}T${time}Z">${day} ${time.slice(0, 5)}</time>`;
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `1.2 GB`. */
function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toPrecision(2)} ${units[unit]}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const style = `
:root{color-scheme:light dark;--soft:#667;--line:#e4e4ea;--link:#8a5a00;--text:#1c1c22;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--soft:#99a;--line:#333340;--link:#ffd54f;--text:#eee;--paper:#16161b}}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem 1rem;color:var(--text);background:var(--paper)}
h1{font-size:1.35rem;font-weight:600;margin:0 0 1rem;overflow-wrap:anywhere}h1 i{color:var(--soft);font-style:normal;font-weight:400}
a{color:var(--link);text-decoration:none}a:hover,a:focus{text-decoration:underline}
table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:500;font-size:.85rem;color:var(--soft)}
td,th{padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td:first-child{overflow-wrap:anywhere}td a{display:inline-block;min-width:2rem}
td+td,th+th{white-space:nowrap;text-align:right;color:var(--soft);font-variant-numeric:tabular-nums}
td:last-child,th:last-child{padding-right:0}
small{display:block;font:.72rem/1.4 ui-monospace,monospace;color:var(--soft);overflow:hidden;text-overflow:ellipsis}
footer{margin-top:1.5rem;font-size:.85rem;color:var(--soft)}
@media(max-width:34rem){thead{display:none}tr{display:flex;flex-wrap:wrap;border-bottom:1px solid var(--line);padding:.6rem 0}td{border:0;padding:0}td:first-child{flex:1 0 100%}td+td{font-size:.85rem;padding-right:1rem}}
`;
