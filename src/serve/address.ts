/** What a request is about: names from the root of the tree, decoded. */
export type Wanted = {
  readonly names: readonly string[];
  /** Whether the path ends in a slash. */
  readonly isFolder: boolean;
  /** With its question mark; empty where there is none. */
  readonly query: string;
  /** The server's name, where the target itself says it. */
  readonly authority?: string;
};

/** Take a request target apart; undefined for what is no plain path. Nothing is normalised: what looks odd is refused. */
export function readTarget(target: string): Wanted | undefined {
  const [, authority, path = '', query = ''] = /^(?:http:\/\/([^/?#]*))?(\/[^?#]*)(\?[^#]*)?$/.exec(target) ?? [];
  if (path === '' || !/^[\x21-\x7e]+$/.test(path + query)) return undefined;
  const parts = path.slice(1).split('/');
  const isFolder = parts.at(-1) === '';
  if (isFolder) parts.pop();
  const names = parts.map(decoded);
  if (!names.every((name) => name !== undefined && isPlain(name))) return undefined;
  return { names: names as string[], isFolder, query, ...(authority === undefined ? {} : { authority }) };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function isPlain(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\x00-\x1f\x7f]/.test(name);
}

/** The path of names, as it stands in a link. */
export function pathOf(names: readonly string[], isFolder: boolean): string {
  return `/${names.map(encodeURIComponent).join('/')}${isFolder && names.length > 0 ? '/' : ''}`;
}

/**
 * Whether a Host header names this server. A page elsewhere can have its own name lead here (DNS rebinding), but not an
 * address: so any address will do, and of names only ours.
 */
export function isOurHost(host: string | undefined, names: ReadonlySet<string>): boolean {
  const name = hostName(host);
  return name !== undefined && (isAddress(name) || names.has(name));
}

// A name of digits and dots alone is an address to browsers too (URL standard, host parsing).
function isAddress(name: string): boolean {
  return name.startsWith('[') || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
}

function hostName(host: string | undefined): string | undefined {
  const [, name] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+?)\.?(?::\d{1,5})?$/.exec(host ?? '') ?? [];
  return name?.toLowerCase();
}

/** Whether a request that changes something comes from a page of another server; programs send no Origin. */
export function isForeign(headers: Readonly<Record<string, unknown>>): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return origin !== undefined && origin !== `http://${String(host)}` && origin !== `https://${String(host)}`;
}
