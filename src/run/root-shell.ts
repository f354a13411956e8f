import { type Script, shellQuote } from '../core/script.ts';

/** Where things that are lent to a shell lie in the image: in memory, not on its disk. */
const lentFolder = '/run/ingot';
export const projectFolder = `${lentFolder}/project`;
/** A folder the shell writes to: its own start, and what was entered. */
export const recordFolder = `${lentFolder}/record`;
export const enteredFile = 'entered';

export type ShellLook = {
  /** Stands before the folder in each prompt: `web before 3-shell`. */
  readonly where: string;
  readonly greeting: readonly string[];
};

/**
 * A shell for a person, in the same environment that steps have. Where the image has bash each command that was
 * entered is noted with its exit code.
 */
export function rootShellScript({ where, greeting }: ShellLook): Script {
  const lines = greeting.map((line) => `echo ${shellQuote(line)}\n`).join('');
  const text = `umask 022
cd
${lines}if command -v bash >/dev/null && mkdir -p ${recordFolder}; then
  printf %s ${shellQuote(bashStart(where))} >${recordFolder}/start
  exec bash --rcfile ${recordFolder}/start -i
fi
echo 'the image has no bash: what is entered is not noted'
PS1=${shellQuote(`${where} # `)} exec /bin/sh -i
`;
  return { name: 'the shell', text };
}

/** Files that a bash of a person reads when it starts. Its history is kept nowhere but in the notes. */
function bashStart(where: string): string {
  const place = where.replaceAll('\\', '').replaceAll('$', '').replaceAll('`', '');
  return `unset HISTFILE HISTIGNORE HISTTIMEFORMAT
HISTCONTROL= HISTSIZE=100000
shopt -s cmdhist lithist
PS1=${shellQuote(`\\[\\e[1m\\]${place}\\[\\e[0m\\] \\w # `)}
ingot_note() {
  local code=$? entry
  entry=$(history 1)
  [[ $entry =~ ^[[:space:]]*([0-9]+)[[:space:]*]+(.*)$ ]] || return
  [[ \${BASH_REMATCH[1]} != "\${ingot_noted-}" ]] || return
  ingot_noted=\${BASH_REMATCH[1]}
  printf '%s\\0%s\\0' "$code" "\${BASH_REMATCH[2]}" >>${recordFolder}/${enteredFile}
}
PROMPT_COMMAND=ingot_note
`;
}
