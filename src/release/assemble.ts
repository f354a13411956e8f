import type { Entry, EntryFile } from './entry.ts';

/**
 * A script for sh(1) that puts split files together again, fetching parts that are not there from `url`, the folder of
 * the release's assets. Undefined where nothing is split. All names in it are plain (see `parseEntry`).
 */
export function assembleScript(entry: Entry, url: string): string | undefined {
  const split = entry.files.filter(({ assets }) => assets.length > 1);
  if (split.length === 0) return undefined;
  return [head(entry, url), ...split.map(assembling), 'echo "all files are whole"\n'].join('\n');
}

function head({ image, arch, build }: Entry, url: string): string {
  return `#!/bin/sh
# Puts ${image} for ${arch} (build ${build}) together again from the parts of its release, in this folder.
# Parts that are not here are fetched with curl; every part and every file is compared with its SHA-256.
# Parts are removed with --remove-parts. Another place to fetch from: RELEASE_URL=https://... sh THIS
set -eu
url=\${RELEASE_URL:-${quoted(url)}}
remove=no
case \${1:-} in
  '') ;;
  --remove-parts) remove=yes ;;
  *) echo "usage: sh $0 [--remove-parts]" >&2; exit 2 ;;
esac

fail() { echo "$0: $1" >&2; exit "\${2:-1}"; }

if command -v sha256sum >/dev/null 2>&1; then digest() { sha256sum <"$1"; }
elif command -v shasum >/dev/null 2>&1; then digest() { shasum -a 256 <"$1"; }
else fail 'neither sha256sum nor shasum is here' 5; fi

is() { # FILE SHA256
  [ -f "$1" ] || return 1
  found=$(digest "$1") && [ "\${found%% *}" = "$2" ]
}

need() { # PART SHA256: have a part here
  if is "$1" "$2"; then return 0; fi
  # A part under its own name is complete: one with other bytes is of another release.
  [ ! -f "$1" ] || fail "$1 has other bytes than this release; move it away" 3
  command -v curl >/dev/null 2>&1 || fail "$1 is not here, and neither is curl to fetch it" 5
  curl -fL --retry 5 -C - -o "$1.download" "$url/$1" || fail "$1 could not be fetched from $url"
  is "$1.download" "$2" || { rm -f "$1.download"; fail "$1 came with other bytes" 3; }
  mv "$1.download" "$1"
}
`;
}

function assembling({ file, sha256, assets }: EntryFile): string {
  const names = assets.map(({ name }) => quoted(name)).join(' ');
  return `if is ${quoted(file)} ${sha256}; then echo ${quoted(`${file} is here already`)}
else
${assets.map((asset) => `  need ${quoted(asset.name)} ${asset.sha256}`).join('\n')}
  cat ${names} >${quoted(`${file}.partial`)} || fail ${quoted(`${file} could not be written`)}
  is ${quoted(`${file}.partial`)} ${sha256} || { rm -f ${quoted(`${file}.partial`)}; fail ${quoted(`${file} has other bytes than it must`)} 3; }
  mv ${quoted(`${file}.partial`)} ${quoted(file)}
  echo ${quoted(`${file} is whole`)}
fi
[ "$remove" = no ] || rm -f ${names}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
