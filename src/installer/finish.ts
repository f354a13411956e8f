import { shellLine, shellQuote } from '../core/script.ts';
import type { PasswordHash } from './answers.ts';
import type { PostInstall } from './format.ts';
import { decodeText, encodeText } from './text.ts';

/** One thing that is done in the installed system, because its installer has no question for it. */
export type Deed =
  | { readonly do: 'packages'; readonly names: readonly string[] }
  | { readonly do: 'repository'; readonly names: readonly string[] }
  | { readonly do: 'password'; readonly user: string; readonly hash: PasswordHash | '*' }
  | { readonly do: 'keys'; readonly user: string; readonly keys: readonly string[] }
  | { readonly do: 'sudo'; readonly user: string; readonly asks: boolean }
  | { readonly do: 'kernel_args'; readonly words: readonly string[] }
  | { readonly do: 'locale'; readonly locale: string }
  | ({ readonly do: 'script' } & PostInstall);

type Name = Deed['do'];

/** The keys of a user, when there are some. */
export function keysOf(user: string, keys: readonly string[] | undefined): readonly Deed[] {
  return keys === undefined || keys.length === 0 ? [] : [{ do: 'keys', user, keys }];
}

/**
 * A shell program that does these things inside the installed system; empty for none. It is one line a deed, so that it can
 * be read back, above them only the functions that they use.
 */
export function finishScript(deeds: readonly Deed[]): string {
  if (deeds.length === 0) return '';
  const used = (Object.keys(functions) as Name[]).filter((name) => deeds.some((deed) => deed.do === name));
  return [head, ...used.map((name) => functions[name]), mark, ...deeds.map(lineOf), ''].join('\n');
}

/** What such a program does; undefined when it is not one. */
export function readFinish(text: string): readonly Deed[] | undefined {
  if (text === '') return [];
  const at = text.indexOf(`\n${mark}\n`);
  if (at < 0 || !text.endsWith('\n')) return undefined;
  const lines = text.slice(at + mark.length + 2, -1).split('\n');
  const deeds = lines.map(deedOf);
  const known = deeds.filter((deed) => deed !== undefined);
  return known.length === deeds.length && finishScript(known) === text ? known : undefined;
}

/** Words that run such a program, given to `sh -c` inside the installed system: nothing but letters that no quoting changes. */
export function carried(script: string): string {
  return `umask 077 && printf %s ${encodeText(script)} | base64 -d >/root/ingot-finish && sh /root/ingot-finish </dev/null && rm /root/ingot-finish`;
}

const carriedForm =
  /^umask 077 && printf %s ([A-Za-z0-9+/=]+) \| base64 -d >\/root\/ingot-finish && sh \/root\/ingot-finish <\/dev\/null && rm \/root\/ingot-finish$/;

/** What such words carry; undefined when they are others. */
export function readCarried(words: string): readonly Deed[] | undefined {
  const text = decodeText(carriedForm.exec(words)?.[1] ?? '');
  return text === undefined || text === '' ? undefined : readFinish(text);
}

const mark = '# What was asked for';

// Debian's installer gives programs its own debconf to ask, which would read answers from a stdin that is closed.
const head = `#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive
unset DEBIAN_HAS_FRONTEND DEBCONF_READFD DEBCONF_WRITEFD DEBCONF_REDIR
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
`;

// `restorecon` is there where SELinux is: what is made in a chroot has the labels of nowhere.
const functions: Readonly<Record<Name, string>> = {
  packages: `packages() {
  apk add --no-cache "$@"
}
`,
  // The medium is trusted as the installer on it is. Its lists are not kept: it is not there later.
  repository: `repository() {
  mkdir -p "$work/lists/partial"
  echo 'deb [trusted=yes] file:/media/ingot/repository ingot main' >"$work/sources.list"
  cat >"$work/apt.conf" <<END
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$work/lists";
APT::Sandbox::User "root";
END
  APT_CONFIG="$work/apt.conf" apt-get -q update
  APT_CONFIG="$work/apt.conf" apt-get -q -y -o Dpkg::Use-Pty=0 install "$@"
}
`,
  password: `password() {
  printf '%s:%s\\n' "$1" "$2" | chpasswd -e
}
`,
  keys: `keys() {
  home=$(awk -F: -v user="$1" '$1 == user { print $6 }' /etc/passwd)
  mkdir -p "$home/.ssh"
  printf %s "$2" | base64 -d >"$home/.ssh/authorized_keys"
  chown -R "$1:" "$home/.ssh"
  if command -v restorecon >/dev/null; then restorecon -R "$home/.ssh"; fi
}
`,
  sudo: `sudo() {
  mkdir -p -m 0755 /etc/sudoers.d
  printf '%s ALL=(ALL) %s\\n' "$1" "$2" >"/etc/sudoers.d/90-$1"
  chmod 0440 "/etc/sudoers.d/90-$1"
  if command -v restorecon >/dev/null; then restorecon "/etc/sudoers.d/90-$1"; fi
}
`,
  kernel_args: `kernel_args() {
  mkdir -p -m 0755 /etc/default/grub.d
  printf 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT %s"\\n' "$*" >/etc/default/grub.d/90-ingot.cfg
  chmod 0644 /etc/default/grub.d/90-ingot.cfg
  update-grub
}
`,
  locale: `locale() {
  printf 'export LANG=%s\\n' "$1" >/etc/profile.d/90-locale.sh
  chmod 0644 /etc/profile.d/90-locale.sh
}
`,
  script: `script() {
  echo "ingot: $1"
  printf %s "$2" | base64 -d >"$work/script"
  chmod 0700 "$work/script"
  case $(head -c 2 "$work/script") in '#!') with= ;; *) with=sh ;; esac
  (umask 022 && cd / && $with "$work/script")
}
`,
};

function lineOf(deed: Deed): string {
  switch (deed.do) {
    case 'packages':
      return shellLine(['packages', ...deed.names]);
    case 'repository':
      return shellLine(['repository', ...deed.names]);
    case 'password':
      return `password ${deed.user} ${shellQuote(deed.hash)}`;
    case 'keys':
      return `keys ${deed.user} ${encodeText(deed.keys.map((key) => `${key}\n`).join(''))}`;
    case 'sudo':
      return `sudo ${deed.user} ${deed.asks ? 'ALL' : 'NOPASSWD:ALL'}`;
    case 'kernel_args':
      return shellLine(['kernel_args', ...deed.words]);
    case 'locale':
      return `locale ${deed.locale}`;
    case 'script':
      return `script ${encodeName(deed.name)} ${encodeText(deed.text)}`;
  }
}

function deedOf(line: string): Deed | undefined {
  const [name = '', first = '', second = '', ...more] = line.split(' ');
  const text = decodeText(second);
  switch (name) {
    case 'packages':
      return { do: 'packages', names: line.split(' ').slice(1) };
    case 'repository':
      return { do: 'repository', names: line.split(' ').slice(1) };
    case 'password':
      return { do: 'password', user: first, hash: second.replace(/^'(.*)'$/, '$1') as PasswordHash };
    case 'keys':
      return text === undefined ? undefined : { do: 'keys', user: first, keys: text.split('\n').slice(0, -1) };
    case 'sudo':
      return { do: 'sudo', user: first, asks: second === 'ALL' };
    case 'kernel_args':
      return { do: 'kernel_args', words: [first, second, ...more].filter((word) => word !== '') };
    case 'locale':
      return { do: 'locale', locale: first };
    case 'script':
      return text === undefined ? undefined : { do: 'script', name: decodeURIComponent(first), text };
    default:
      return undefined;
  }
}

/** The name in letters that no shell and no installer takes for anything else. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
