import { type Script, shellLine, shellQuote } from '../core/script.ts';

/**
 * The shell line that runs a script whose text comes on stdin. The text goes into a file first, so that commands in it
 * which read their stdin do not eat the rest of it; any interpreter and any length will do.
 */
export function remoteLine(script: Script, options: { readonly sudo: boolean }): string {
  const set = Object.entries(script.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const before = [...(options.sudo ? ['sudo', '-n', '--'] : []), ...(set.length > 0 ? ['env', ...set] : [])];
  const interpreter = script.interpreter ?? ['/bin/sh'];
  const words = (script.args ?? []).map((argument) => ` ${shellQuote(argument)}`).join('');
  const run = `${shellLine([...before, ...interpreter])} "$f"${words} </dev/null`;
  return `f=$(mktemp) && trap 'rm -f "$f"' EXIT && cat >"$f" && ${run}`;
}
