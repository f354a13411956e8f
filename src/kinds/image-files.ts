import { z } from 'zod';
import type { Files } from '../core/host.ts';
import type { Script } from '../core/script.ts';

/** A path in the image: absolute, written out, no trailing slash. */
export const imagePath = z
  .string()
  .regex(
    /^(?:\/(?!\.{1,2}(?:\/|$))[^/\x00-\x1f\x7f]+)+$/,
    'expected an absolute path in the image without . or .. and without a slash at its end, such as /etc/motd',
  );

/** A folder in the image; the root itself is one. */
export const imageFolder = z.union([z.literal('/'), imagePath]);

/** Text, because YAML reads a bare 0644 as the number six hundred and forty-four. */
export const fileMode = z
  .string("write the mode as text, in quotes: '0644'")
  .regex(/^[0-7]{3,4}$/, "expected an octal mode in quotes, such as '0644'");

const account = '(?:[0-9]{1,5}|[A-Za-z_][A-Za-z0-9_.-]*\\$?)';

/** `user:group` as the image knows them, or numbers. */
export const owner = z
  .string("write the owner as text: 'root:root'")
  .regex(new RegExp(`^${account}:${account}$`), 'expected an owner as user:group, such as root:root');

export type PlacedFile = { readonly to: string; readonly owner: string; readonly mode: string };

/**
 * Writes stdin to one file: whole or not at all, over a link instead of through it, never readable by others before its
 * mode is set. Missing parent folders are made for root with mode 0755.
 */
export function placeFileScript({ to, owner, mode }: PlacedFile): Script {
  return { text: placeFileText, args: [to, owner, mode] };
}

// chown comes before chmod: changing the owner clears setuid (chown(2)).
const placeFileText = `set -eu
to=$1 owner=$2 mode=$3
umask 022
if [ -d "$to" ] && [ ! -L "$to" ]; then echo "$to is a folder: name the file itself" >&2; exit 1; fi
folder=$(dirname -- "$to")
mkdir -p -- "$folder"
part=$(mktemp -- "$folder/.ingot.XXXXXXXX")
trap 'rm -f -- "$part"' EXIT
cat > "$part"
chown -- "$owner" "$part"
chmod -- "$mode" "$part"
mv -fT -- "$part" "$to"
`;

/**
 * Words of GNU tar that unpack into a grown file system and hurt nothing: folders that are there keep owner and mode,
 * a link to a folder (/lib) stays a link, a link in a file's place is replaced, times are now (the build clamps them).
 */
export const unpackWords = ['tar', '--extract', '--no-overwrite-dir', '--keep-directory-symlink', '--touch'] as const;

const chunkBytes = 1024 * 1024;

/** The bytes of a file of the build machine, as a stream. */
export async function* fileBytes(files: Files, path: string): AsyncGenerator<Uint8Array> {
  for (let offset = 0; ; offset += chunkBytes) {
    const chunk = await files.read(path, { offset, length: chunkBytes });
    if (chunk.length > 0) yield chunk;
    if (chunk.length < chunkBytes) return;
  }
}
