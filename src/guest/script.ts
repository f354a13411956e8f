import { type Script, shellLine, shellQuote } from '../core/script.ts';

/** What ssh is given to run a script: one shell line, and the bytes that go to its stdin. */
export type RemoteCall = { readonly line: string; readonly input: string | AsyncIterable<Uint8Array> };

export type RemoteOptions = {
  /** Run as root. */
  readonly sudo: boolean;
  /** What the script itself reads; default: nothing. */
  readonly stdin?: string | AsyncIterable<Uint8Array> | undefined;
};

/**
 * A script with its environment comes on stdin, so that neither is ever on a command line, where others could read it.
 * Both go into files in memory first: any interpreter and any length will do, and what follows is the script's own input.
 */
export function remoteCall(script: Script, { sudo, stdin }: RemoteOptions): RemoteCall {
  const environment = Buffer.from(environmentText(script, sudo));
  const text = Buffer.from(script.text);
  const interpreter = shellLine(script.interpreter ?? ['/bin/sh']);
  const words = (script.args ?? []).map((argument) => ` ${shellQuote(argument)}`).join('');
  const root = sudo ? 'sudo -n -- ' : '';
  const enter = shellQuote(`umask 022; . "$0/env"; cd; exec ${interpreter} "$0/script"${words}`);
  const run = `${root}/bin/sh -c ${enter} "$d"${stdin === undefined ? ' </dev/null' : ''}`;
  const line = `d=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) && trap 'rm -rf "$d"' EXIT && ${take(environment, 'env')} && ${take(text, 'script')} && ${run}`;
  const head = Buffer.concat([environment, text]);
  return { line, input: stdin === undefined ? head.toString('utf8') : joined(head, stdin) };
}

/** Exactly so many bytes: dd does not read ahead, as head may. */
function take(bytes: Buffer, file: string): string {
  if (bytes.length === 0) return `: >"$d/${file}"`;
  return `dd bs=${bytes.length} count=1 iflag=fullblock of="$d/${file}" 2>/dev/null`;
}

/** The same environment for every script, whatever the guest's login gives. */
export function environmentText(script: Pick<Script, 'env'>, sudo: boolean): string {
  // What sudo gives differs between distributions, and Fedora's leaves /usr/local out.
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const own = sudo ? { HOME: '/root', PATH: path } : {};
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
