import type { Arch } from '../core/arch.ts';
import type { Command } from '../core/host.ts';
import { shellQuote } from '../core/script.ts';

/** Ids of the tree: 0..65535 inside, whatever the build machine grants outside. */
export const idCount = 65536;

/**
 * The first half of a session: a new user namespace that waits until its ids are mapped, then mount, process, IPC and
 * host name spaces of its own with a tmpfs on `place`. Its first process ends when our end of stdin closes, so
 * everything inside dies with us however we die.
 */
export function holderCommand(place: string, memoryBytes: number): Command {
  const inner = [
    'read -r pid rest < /proc/self/stat',
    'mount -t proc proc /proc 2>/dev/null || true',
    `mount -t tmpfs -o mode=0755,size=${memoryBytes},nr_inodes=0 ingot ${shellQuote(place)}`,
    `mkdir -m 0755 ${shellQuote(`${place}/tree`)} && mkdir -m 0755 ${shellQuote(`${place}/scratch`)}`,
    'echo "ready $pid"',
    'exec cat >/dev/null',
  ].join('\n');
  // A new user namespace frees from the signal at the parent's death (prctl(2)): it is asked for anew.
  const bound = 'setpriv --pdeathsig KILL unshare --mount --pid --ipc --uts --fork --kill-child sh -ec "$0"';
  const outer = `echo mapping; read -r go; exec ${bound}`;
  return { argv: ['unshare', '--user', 'sh', '-ec', outer, inner] };
}

/** Run a program of the build machine inside the session whose first process is `pid`. */
export function insideCommand(pid: number, command: Command): Command {
  const enter = ['nsenter', '--target', String(pid), '--user', '--mount', '--pid', '--ipc', '--uts', '--'] as const;
  // A person's umask must not become modes in the image; a mount namespace is entered at its root (setns(2)).
  const bare = ['sh', '-c', `umask 022; ${command.cwd === undefined ? '' : 'cd -- "$0" && '}exec "$@"`] as const;
  return { name: command.argv[0], ...command, argv: [...enter, ...bare, command.cwd ?? 'sh', ...command.argv] };
}

/** One line of /proc/PID/uid_map: as many ids as we use, starting where the build machine lets us. */
export type IdRange = { readonly start: number; readonly count: number };

/** The range a user was granted in /etc/subuid or /etc/subgid (subuid(5)), by name or number. */
export function subordinateRange(
  text: string,
  user: { readonly name: string; readonly uid: number },
): IdRange | undefined {
  for (const line of text.split('\n')) {
    const [owner, start, count] = line.trim().split(':');
    if (owner !== user.name && owner !== String(user.uid)) continue;
    if (Number(count) >= idCount - 1) return { start: Number(start), count: Number(count) };
  }
  return undefined;
}

/** Arguments of newuidmap and newgidmap after the process id: our own id is root, the granted range the rest. */
export function idMap(own: number, range: IdRange): readonly string[] {
  return ['0', String(own), '1', '1', String(range.start), String(idCount - 1)];
}

/**
 * What root writes to /proc/PID/uid_map: each id stands for itself. In a container without root of the machine, root's ids
 * come in several ranges (`own`, its /proc/self/uid_map), and none that is mapped on may span two (user_namespaces(7)).
 */
export function rootMap(own: string): string {
  const ranges = own
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const ours = ranges.flatMap(([start = 0, , count = 0]) => {
    const end = Math.min(start + count, idCount);
    return end > start ? [`${start} ${start} ${end - start}`] : [];
  });
  return ours.join('\n');
}

/** A folder of the build machine that appears as /run/ingot/NAME. */
export type Lent = { readonly folder: string; readonly name: string; readonly writable?: boolean };

/**
 * Run something with the tree as the whole root file system: pivoted, with its own processes, /dev, /run and /tmp,
 * the build machine's network and no other file of it than those that are lent. `entry` is a folder that appears as
 * /run/ingot; it has a folder for each that is lent.
 */
export function sandboxCommand(request: {
  readonly root: string;
  readonly entry: string;
  readonly lent?: readonly Lent[];
  readonly resolv: 'link' | 'file' | 'missing';
  readonly argv: readonly string[];
}): readonly [string, ...string[]] {
  const { root, entry, lent = [] } = request;
  return [
    'bwrap',
    ...['--bind', root, '/', '--proc', '/proc', '--dev', '/dev', '--ro-bind', '/sys', '/sys'],
    ...['--tmpfs', '/run', '--perms', '1777', '--tmpfs', '/tmp', '--ro-bind', entry, '/run/ingot'],
    ...lent.flatMap(({ folder, name, writable }) => [bind(writable === true), folder, `/run/ingot/${name}`]),
    ...(request.resolv === 'file' ? ['--ro-bind', `${entry}/resolv.conf`, '/etc/resolv.conf'] : []),
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--hostname', 'localhost'],
    ...['--die-with-parent', '--as-pid-1', '--cap-add', 'ALL', '--clearenv', '--chdir', '/root'],
    ...['--', '/bin/sh', '/run/ingot/enter', ...request.argv],
  ];
}

function bind(writable: boolean): string {
  return writable ? '--bind' : '--ro-bind';
}

/**
 * The first process inside: gives the image a resolver and forbids starting services (policy-rc.d, 101 = forbidden),
 * runs the words it was given, takes both away again.
 */
export const enterScript = `
. /run/ingot/environment
made=
if [ -d /usr/sbin ] && [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d && made=y
fi
if [ -L /etc/resolv.conf ]; then
  target=$(readlink -m /etc/resolv.conf)
  case $target in /run/*) mkdir -p "\${target%/*}" && cp /run/ingot/resolv.conf "$target" ;; esac
elif [ ! -e /etc/resolv.conf ] && [ -d /etc ]; then
  cp /run/ingot/resolv.conf /etc/resolv.conf && lent=y
fi
"$@" 3>&-
code=$?
if [ "$made" = y ]; then rm -f /usr/sbin/policy-rc.d; fi
if [ "\${lent-}" = y ] && cmp -s /run/ingot/resolv.conf /etc/resolv.conf; then rm -f /etc/resolv.conf; fi
exit $code
`;

/** Shell text that replaces the environment by these names and nothing else of ours. */
export function environmentScript(values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  return `${lines.join('\n')}\n`;
}

/** How the kernel recognises a program of an architecture (binfmt_misc, ELF header with a mask), and who runs it. */
export const binfmt: Readonly<Record<Arch, { readonly emulator: string; readonly line: (path: string) => string }>> = {
  aarch64: { emulator: 'qemu-aarch64-static', line: (path) => registration('aarch64', 'b7', path) },
  x86_64: { emulator: 'qemu-x86_64-static', line: (path) => registration('x86_64', '3e', path) },
};

function registration(name: string, machine: string, path: string): string {
  const escaped = (hex: string) => hex.replace(/../g, (byte) => `\\x${byte}`);
  const magic = escaped(`7f454c460201010000000000000000000200${machine}00`);
  const mask = escaped('ffffffffffffff00fffffffffffffffffeffffff');
  return `:ingot-${name}:M::${magic}:${mask}:${path}:POCF`;
}
