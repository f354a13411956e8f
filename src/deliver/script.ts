import { shellLine } from '../core/script.ts';
import type { DeliveryPlace } from './place.ts';

/** A file as the other side is told of it. */
export type Parcel = { readonly name: string; readonly sha256: string; readonly bytes: number };

/**
 * What runs at the far end, in any POSIX shell: it tells what is there of an earlier run, takes the rest on stdin into a
 * hidden file, and gives that its name when its digest is right. It answers in lines that begin with `ingot`.
 */
const script = String.raw`
LC_ALL=C; export LC_ALL; unset CDPATH; umask 022
name=$1 sha=$2 bytes=$3 folder=$4 line=$5
path=./$name
part=.$name.$(printf %.16s "$sha").ingot-part
lock=.$name.ingot-lock
sums=.$name.ingot-sum
say() { printf 'ingot %s\n' "$*"; }
fail() { say "fail $*"; exit 0; }
digest() {
  if command -v sha256sum >/dev/null; then sha256sum
  elif command -v shasum >/dev/null; then shasum -a 256
  else openssl dgst -sha256 -r; fi 2>/dev/null | cut -c 1-64
}
size() { wc -c <"$1" | tr -d ' '; }
free() { df -Pk . | { read -r _; read -r _ _ _ free _; echo "$free"; }; }
trouble() {
  case $1 in
    *'No space'* | *uota*) full=yes ;;
    *) [ "$(free)" -lt 64 ] && full=yes || full=no ;;
  esac
  [ $full = yes ] || fail write "$1"
  rm -f "$part" "$sums"
  fail full
}
flush() { sync "$1" || sync; }
take_lock() {
  for try in 1 2 3 4 5 6 7 8 9 10; do
    (set -C; echo $$ >"$lock") 2>/dev/null && return 0
    [ -e "$lock" ] || return 1
    holder=$(cat "$lock" 2>/dev/null)
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then rm -f "$lock"; else sleep 1; fi
  done
  [ -n "$holder" ] && return 2
  # There was no room for the few bytes of a lock.
  rm -f "$lock"
  return 1
}
name_it() {
  rm -f "$sums"
  # cat says why it cannot write; a shell's own printf does not.
  why=$({ printf '%s\n' "$line" | cat >"$sums" && flush "$sums"; } 2>&1) || trouble "$why"
  [ "$1" = keep ] || why=$(mv -f "$part" "$path" 2>&1) || trouble "$why"
  why=$(mv -f "$sums" "$path.sha256" 2>&1) || trouble "$why"
  flush . 2>/dev/null
  for old in ".$name".????????????????.ingot-part; do rm -f "$old"; done
  say "$2"
  exit 0
}

cd "$folder" 2>/dev/null || { [ -d "$folder" ] && fail denied; fail no-folder; }
[ -w . ] && [ -x . ] || fail denied
[ "$(printf x | digest)" = 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 ] || fail no-digest
[ ! -d "$path" ] || fail occupied
trap 'rm -f "$lock"' EXIT
trap 'exit 1' HUP INT TERM PIPE
take_lock || { held=$?; trap - EXIT; [ $held = 1 ] && trouble; fail busy "$(cat "$lock")"; }
if [ -f "$path" ] && [ "$(size "$path")" = "$bytes" ] && [ "$(digest <"$path")" = "$sha" ]; then name_it keep same; fi
[ ! -h "$part" ] || rm -f "$part"
have=0
[ ! -f "$part" ] || have=$(size "$part")
[ "$have" -le "$bytes" ] || { rm -f "$part"; have=0; }
[ "$have" = 0 ] || say "part $have $(digest <"$part")"
say "free $(free)"
say ready
read -r word from || exit 0
[ "$word" = go ] || exit 0
[ "$from" != 0 ] || rm -f "$part"
why=$(cat 2>&1 >>"$part") || trouble "$why"
[ "$(size "$part")" -ge "$bytes" ] || exit 0
[ "$(size "$part")" = "$bytes" ] && [ "$(digest <"$part")" = "$sha" ] || { rm -f "$part"; fail wrong; }
why=$(flush "$part" 2>&1) || trouble "$why"
name_it move done
`;

type Argv = readonly [string, ...string[]];

/** The program that does it: a shell here, or by ssh with the person's own settings, keys and known hosts. */
export function farEndArgv({ folder, ssh }: DeliveryPlace, { name, sha256, bytes }: Parcel): Argv {
  const words = [
    'sh',
    '-c',
    script,
    'ingot-publish',
    name,
    sha256,
    String(bytes),
    folder,
    sumsLine(name, sha256),
  ] as const;
  if (ssh === undefined) return words;
  const options = {
    // Nothing is asked in the middle of it, and no key of a host is taken for good because it is the first.
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    ConnectTimeout: 20,
    ServerAliveInterval: 15,
    ServerAliveCountMax: 3,
    ForwardAgent: 'no',
    ForwardX11: 'no',
    ClearAllForwardings: 'yes',
    RequestTTY: 'no',
  };
  const port = ssh.port === undefined ? [] : ['-p', String(ssh.port)];
  const user = ssh.user === undefined ? [] : ['-l', ssh.user];
  const said = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return ['ssh', ...said, ...port, ...user, '--', ssh.host, shellLine(words)];
}

/** A line as sha256sum(1) writes and reads it: names with a line end or a backslash are escaped. */
export function sumsLine(name: string, sha256: string): string {
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === name ? '' : '\\'}${sha256}  ${escaped}`;
}
