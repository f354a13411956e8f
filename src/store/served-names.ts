import { IngotError } from '../core/errors.ts';

/** The folders of the served tree for files that Ingot did not build. */
export const openFolders = ['isos', 'keys', 'netboot', 'answers', 'files'] as const;

/** Lists of checksums in each folder, as sha256sum(1) reads them. */
export const sumsFile = 'SHA256SUMS';

/** A name that can be served: nothing hidden, nothing that means more than itself to a system, a shell or a browser. */
export function isServedName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._+@~-]{0,199}$/.test(name);
}

/** The names of a path like `isos/x.iso` that a file may be published as. */
export function publishNames(as: string): readonly string[] {
  const names = as.split('/');
  const [top = '', ...rest] = names;
  const last = names.at(-1) ?? '';
  if (!openFolders.some((one) => one === top) || rest.length === 0) {
    const folders = openFolders.map((one) => `${one}/`).join(' ');
    throw refused(`${quoted(as)} is no place for a file of your own`, `it must lie below one of ${folders}`);
  }
  if (names.length > 8 || !names.every(isServedName)) {
    throw refused(
      `${quoted(as)} is no name that can be served`,
      'use letters, digits and ._+@~- in each part, and no dot at its beginning',
    );
  }
  if (last === sumsFile || last.endsWith('.sha256')) {
    throw refused(`${quoted(as)} is written by Ingot itself`, 'publish the file, its checksum comes along');
  }
  return names;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

function refused(message: string, hint: string): IngotError {
  return new IngotError({ code: 'USAGE', message, hint });
}
