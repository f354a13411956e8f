import { type Script, shellLine, shellQuote } from '../core/script.ts';

/** What ssh is given to run a script: one shell line, and the bytes that go to its stdin. */
export type RemoteCall = { readonly line: string; readonly input: string | AsyncIterable<Uint8Array> };

export type RemoteOptions = {
  /** Run as root, whoever logged in. */
  readonly root: boolean;
  /** Somebody else logged in. */
  readonly sudo: boolean;
  /** What the script itself reads; default: nothing. */
  readonly stdin?: string | AsyncIterable<Uint8Array> | undefined;
};

/**
 * A script with its environment comes on stdin, so that neither is ever on a command line, where others could read it.
 * Both go into files in memory first: any interpreter and any length will do, and what follows is the script's own input.
 */
export function remoteCall(script: Script, options: RemoteOptions): RemoteCall {
  const { stdin } = options;
  const settings = environmentText(script, options.root);
  if (isPlain(script) && stdin === undefined) return plainCall(`${settings}${script.text}`, options);
  const environment = Buffer.from(settings);
  const text = Buffer.from(script.text);
  const interpreter = shellLine(script.interpreter ?? ['/bin/sh']);
  const words = (script.args ?? []).map((argument) => ` ${shellQuote(argument)}`).join('');
  const enter = shellQuote(`umask 022; . "$0/env"; cd; exec ${interpreter} "$0/script"${words}`);
  const run = `${asRoot(options)}/bin/sh -c ${enter} "$d"${stdin === undefined ? ' </dev/null' : ''}`;
  const line = `d=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) && trap 'rm -rf "$d"' EXIT && ${take(environment, 'env')} && ${take(text, 'script')} && ${run}`;
  const head = Buffer.concat([environment, text]);
  return { line, input: stdin === undefined ? head.toString('utf8') : joined(head, stdin) };
}

function isPlain({ interpreter, args, env }: Script): boolean {
  return interpreter === undefined && args === undefined && env === undefined;
}

/** Read whole and run by the shell itself: each program less is felt in a guest that is translated. */
function plainCall(input: string, options: RemoteOptions): RemoteCall {
  return { line: `exec ${asRoot(options)}/bin/sh -c 'umask 022; eval "$(cat)" </dev/null'`, input: `cd\n${input}` };
}

function asRoot({ root, sudo }: RemoteOptions): string {
  return root && sudo ? 'sudo -n -- ' : '';
}

/** Exactly so many bytes: dd does not read ahead, as head may. */
function take(bytes: Buffer, file: string): string {
  if (bytes.length === 0) return `: >"$d/${file}"`;
  return `dd bs=${bytes.length} count=1 iflag=fullblock of="$d/${file}" 2>/dev/null`;
}

/** The same environment for every script, whatever the guest's login gives. */
export function environmentText(script: Pick<Script, 'env'>, root: boolean): string {
  // What sudo and sshd give differs between distributions, and Fedora's leaves /usr/local out.
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const own = root ? { HOME: '/root', PATH: path } : {};
  const environment = { ...own, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive', ...script.env };
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${shellQuote(value)}\n`)
    .join('');
}

async function* joined(head: Uint8Array, rest: string | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  if (typeof rest === 'string') yield Buffer.from(rest);
  else yield* rest;
}
