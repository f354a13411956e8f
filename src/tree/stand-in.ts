import { shellQuote } from '../core/script.ts';

/**
 * A program that takes the command line of ssh(1), as ansible and scripts write it, and runs the command in the sandbox
 * whose first process is `pid`. Options are read only to get past them; stdin, stdout, stderr and the exit code are
 * those of the command.
 */
export function standIn({ nsenter, pid }: { readonly nsenter: string; readonly pid: number }): string {
  const enter = [nsenter, '--target', String(pid), '--mount', '--pid', '--ipc', '--uts', '--'].map(shellQuote);
  return `#!/bin/sh
refuse() {
  echo "ssh: $1" >&2
  exit 255
}
host=
while [ $# -gt 0 ]; do
  case $1 in
  --)
    shift
    [ -z "$host" ] || break
    host=\${1-}
    [ $# -eq 0 ] || shift
    ;;
  -?*)
    letters=\${1#-}
    shift
    while [ -n "$letters" ]; do
      rest=\${letters#?}
      letter=\${letters%"$rest"}
      letters=$rest
      case $letter in
      n) exec </dev/null ;;
      N | W | s | O) refuse "-$letter is not possible in a tree, which no sshd serves" ;;
      [BbcDEeFIiJLlmopPQRSw])
        [ -n "$rest" ] || [ $# -eq 0 ] || shift
        letters=
        ;;
      esac
    done
    ;;
  *)
    # Options may stand after the host too.
    [ -z "$host" ] || break
    host=$1
    shift
    ;;
  esac
done
[ -n "$host" ] || refuse 'no host is named'
[ $# -eq 0 ] || set -- -c "$*"
exec /usr/bin/env -i ${enter.join(' ')} /bin/sh -c 'umask 022; . /run/ingot/environment; cd; exec /bin/sh "$@"' sh "$@"
`;
}
