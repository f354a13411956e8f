import { basename } from 'node:path/posix';
import type { Digest } from '../core/digests.ts';
import { IngotError } from '../core/errors.ts';

type Entry = { readonly name: string; readonly hex: string };

/** A list of checksums is at most so many characters long and lines many. */
const mostCharacters = 4 * 1024 * 1024;

/**
 * The digest that a list of checksums has for a file: lines `HEX  NAME` as sha256sum(1) writes them, lines
 * `SHA256 (NAME) = HEX` of BSD, or the digits alone when the list is of one file. `list`: its address, for errors.
 */
export function findDigest(text: string, fileName: string, list: string): Digest {
  if (text.length > mostCharacters) throw refused(`${list} is too long for a list of checksums`);
  const entries = text.split('\n').flatMap((line) => entryOf(line.trimEnd()));
  const alone = entries.length === 0 ? /^\s*([0-9a-fA-F]{32,128})\s*$/.exec(text)?.[1] : undefined;
  const named = alone === undefined ? entries.filter(({ name }) => basename(name) === fileName) : [];
  const found = alone === undefined ? named.map(({ hex }) => hex) : [alone];
  const digests = [...new Set(found.map((hex) => hex.toLowerCase()))];
  if (digests.length === 0) {
    const hint = nearby(entries, fileName);
    throw new IngotError({ code: 'NOT_FOUND', message: `${list} has no checksum for ${fileName}`, hint });
  }
  const sha256 = digests.filter((hex) => hex.length === 64);
  const sha512 = digests.filter((hex) => hex.length === 128);
  if (sha256.length > 1 || sha512.length > 1) {
    throw refused(`${list} has different checksums for ${fileName}`, 'name the address of a list of one release');
  }
  if (sha256[0] !== undefined) return { sha256: sha256[0] };
  if (sha512[0] !== undefined) return { sha512: sha512[0] };
  throw refused(`${list} has only weak checksums for ${fileName}`, 'name a list of SHA-256 or SHA-512 checksums');
}

function entryOf(line: string): readonly Entry[] {
  const [, hex, name] = /^([0-9a-fA-F]{32,128})(?: {2}| \*|\t)(.+)$/.exec(line) ?? [];
  if (hex !== undefined && name !== undefined) return [{ name, hex }];
  const [, bsdName, bsdHex] = /^SHA-?(?:256|512) ?\((.+)\) = ([0-9a-fA-F]{64,128})$/i.exec(line) ?? [];
  return bsdHex !== undefined && bsdName !== undefined ? [{ name: bsdName, hex: bsdHex }] : [];
}

/** Names in the list that differ only a little, which is how a new release shows. */
function nearby(entries: readonly Entry[], fileName: string): string {
  const shape = (name: string) => name.replaceAll(/\d+/g, '0');
  const alike = [...new Set(entries.map(({ name }) => basename(name)))].filter(
    (name) => shape(name) === shape(fileName),
  );
  if (alike.length > 0) return `it has ${alike.slice(0, 3).join(', ')}`;
  return 'check the address of the list, and whether the file has another name now';
}

function refused(message: string, hint = 'check what the address leads to'): IngotError {
  return new IngotError({ code: 'INPUT_REFUSED', message, hint });
}
